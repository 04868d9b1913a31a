import { StatusError } from '#base/errors.ts';
import type { BuildRequest } from '#engine/build/builder.ts';
import type { LineRange } from '#formats/dockerfile/dockerfile.ts';
import type { LintWarning } from '#formats/dockerfile/lint/lint-dockerfile.ts';
import { SourceError } from '#formats/dockerfile/source-error.ts';

import type { ClientSession } from '../session/client-session.ts';
import type { ActiveBuild } from './active-build.ts';
import { frontendOptions } from './frontend-options.ts';
import { loadDockerfile } from './load-sources.ts';
import { openSources } from './open-sources.ts';
import type { SolveTools } from './solve-tools.ts';

/** The version of the answer's form (buildkit: frontend/subrequests/lint/lint.go). */
const version = '1.0.0';

/** `docker build --check`: what the build checks say of a Dockerfile, in the form that clients print. Builds nothing. */
export async function checkDockerfile(
  tools: SolveTools,
  build: ActiveBuild,
  session: ClientSession,
  attributes: ReadonlyMap<string, string>,
): Promise<ReadonlyMap<string, Uint8Array>> {
  const { requestid: _, ...others } = Object.fromEntries(attributes);
  const options = frontendOptions(new Map(Object.entries(others)));
  await using stack = new AsyncDisposableStack();
  const text =
    options.contextUrl === ''
      ? (await loadDockerfile(tools.uploads, build, () => session, options)).text
      : (await openSources(tools, build, session, options, stack)).dockerfile;
  const request: BuildRequest = {
    ...options.request,
    contextDir: '',
    dockerfileName: options.dockerfileName,
    dockerfile: text,
    tags: [],
    auth: () => undefined,
  };
  return resultOf(request, () => tools.engine.builder.check(request));
}

function resultOf(
  { dockerfile, dockerfileName: filename }: BuildRequest,
  check: () => readonly LintWarning[],
): ReadonlyMap<string, Uint8Array> {
  const { warnings, error } = outcomeOf(check);
  const json = {
    warnings: warnings.map(({ rule, description, url, text, at }) => ({
      ruleName: rule,
      description,
      url,
      detail: text,
      location: locationOf(at),
    })),
    sources: [{ filename, data: Buffer.from(dockerfile).toString('base64'), language: 'Dockerfile' }],
    ...(error === undefined ? {} : { buildError: { message: error.sentence, location: locationOf(error.at) } }),
  };
  const lines = warnings.map(({ rule, url, text }) => `\nWARNING: ${rule} - ${url}\n${text}\n`);
  const isFine = warnings.length === 0 && error === undefined;
  const entries = {
    'result.json': JSON.stringify(json),
    'result.txt': lines.join(''),
    'result.statuscode': isFine ? '0' : '1',
    version,
  };
  return new Map(Object.entries(entries).map(([name, text]) => [name, Buffer.from(text)]));
}

/** A Dockerfile that is wrong has no warnings, but its mistake. */
function outcomeOf(check: () => readonly LintWarning[]): {
  readonly warnings: readonly LintWarning[];
  readonly error: SourceError | undefined;
} {
  try {
    return { warnings: check(), error: undefined };
  } catch (error) {
    if (!(error instanceof SourceError)) throw error;
    return { warnings: [], error };
  }
}

function locationOf({ start, end }: LineRange): object {
  return { ranges: [{ start: { line: start }, end: { line: end } }] };
}

/** Throws NotSupported for a question about a Dockerfile that has no answer here. */
export function checkQuestion(question: string): void {
  if (question === 'frontend.lint') return;
  throw new StatusError('NotSupported', `Cannot answer ${question}: only --check and whole builds are supported`);
}
