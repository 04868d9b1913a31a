import type { NamedContext } from '#engine/build/named-context.ts';

import { readContextFile } from '../../build/build-context.ts';
import type { ClientSession } from '../session/client-session.ts';
import type { ActiveBuild } from './active-build.ts';
import type { SolveTools } from './solve-tools.ts';
import type { FrontendOptions } from './frontend-options.ts';
import { loadContext, loadDockerfile, loadNamedContext, missingDockerfile, type SessionOf } from './load-sources.ts';
import { loadRemoteContext } from './load-remote-context.ts';

/** What a build is made from, on this machine. */
export interface Sources {
  readonly dockerfileName: string;
  readonly dockerfile: string;
  readonly contextDir: string;
  readonly contexts: Readonly<Record<string, NamedContext>>;
}

/** Brings everything here that a build is made from; what is only for this build goes with the stack. */
export async function openSources(
  tools: SolveTools,
  build: ActiveBuild,
  session: ClientSession,
  options: FrontendOptions,
  stack: AsyncDisposableStack,
): Promise<Sources> {
  const sessionOf = await sessionsOf(tools, session, options, build.signal);
  const lease = async (folder: string): Promise<string> =>
    stack.use(await tools.contexts.lease(`${sessionOf(folder).sharedKey} ${folder}`)).path;
  const main =
    options.contextUrl === ''
      ? await openClientContext(tools, build, sessionOf, options, lease)
      : await openRemoteContext(tools, build, { own: session, sessionOf, options }, stack);
  const contexts: Record<string, NamedContext> = {};
  for (const [name, source] of options.contexts) {
    if (source.kind === 'image') {
      contexts[name] = source;
      continue;
    }
    const path = await lease(source.folder);
    await loadNamedContext(tools.uploads, build, sessionOf, { name, folder: source.folder, root: path });
    contexts[name] = { kind: 'folder', path };
  }
  return { ...main, dockerfileName: options.dockerfileName, contexts };
}

type MainSource = Pick<Sources, 'dockerfile' | 'contextDir'>;

async function openClientContext(
  tools: SolveTools,
  build: ActiveBuild,
  sessionOf: SessionOf,
  options: FrontendOptions,
  lease: (folder: string) => Promise<string>,
): Promise<MainSource> {
  const { text, ignore } = await loadDockerfile(tools.uploads, build, sessionOf, options);
  const paths = readPaths(tools, options, text);
  const contextDir = await lease(options.contextFolder);
  if (paths?.length !== 0) await loadContext(build, sessionOf, { options, ignore, paths, root: contextDir });
  return { dockerfile: text, contextDir };
}

/** What the Dockerfile can read of the client's context; undefined for all of it. */
function readPaths(
  { engine }: SolveTools,
  options: FrontendOptions,
  dockerfile: string,
): readonly string[] | undefined {
  const contexts = [...options.contexts].map(([name, source]): [string, NamedContext] => [
    name,
    source.kind === 'image' ? source : { kind: 'folder', path: '' },
  ]);
  return engine.builder.contextPaths({
    ...options.request,
    contexts: Object.fromEntries(contexts),
    dockerfileName: options.dockerfileName,
    dockerfile,
    tags: [],
    auth: () => undefined,
  });
}

/** BuildKit ignores no files of a context from afar. */
async function openRemoteContext(
  tools: SolveTools,
  build: ActiveBuild,
  from: { readonly own: ClientSession; readonly sessionOf: SessionOf; readonly options: FrontendOptions },
  stack: AsyncDisposableStack,
): Promise<MainSource> {
  const { own, sessionOf, options } = from;
  const folder = stack.use(await tools.uploads.create()).path;
  const contextDir = await loadRemoteContext(tools.engine, build, own, { options, folder });
  if (options.hasOwnDockerfile) {
    const { text } = await loadDockerfile(tools.uploads, build, sessionOf, options);
    return { dockerfile: text, contextDir };
  }
  const dockerfile = await readContextFile(contextDir, options.dockerfileName);
  if (dockerfile === undefined) throw missingDockerfile(options.dockerfileName);
  return { dockerfile, contextDir };
}

/** Finds the sessions of folders that the build's own does not serve. */
async function sessionsOf(
  { sessions }: SolveTools,
  own: ClientSession,
  { folderSessions }: FrontendOptions,
  signal: AbortSignal,
): Promise<SessionOf> {
  const others = new Map<string, ClientSession>();
  for (const [folder, id] of folderSessions) others.set(folder, await sessions.get(id, signal));
  return (folder) => others.get(folder) ?? own;
}
