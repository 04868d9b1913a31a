import { StatusError } from '#base/errors.ts';
import type { BuildRequest } from '#engine/build/builder.ts';
import type { NamedContext } from '#engine/build/named-context.ts';
import type { Engine } from '#engine/engine.ts';

import type { Uploads } from '../../uploads.ts';
import type { ContextStore } from '../files/context-store.ts';
import { BuildProgress } from '../progress/build-progress.ts';
import type { ClientSession } from '../session/client-session.ts';
import { lendSession } from '../session/lend-session.ts';
import { sessionCredentials } from '../session/session-credentials.ts';
import type { Sessions } from '../session/sessions.ts';
import type { ActiveBuild } from './active-build.ts';
import { type FrontendOptions, frontendOptions } from './frontend-options.ts';
import { loadContext, loadDockerfile, loadNamedContext, type SessionOf } from './load-sources.ts';

export interface SolveTools {
  readonly engine: Engine;
  readonly uploads: Uploads;
  readonly contexts: ContextStore;
  readonly sessions: Sessions;
}

/** Front ends that understand Dockerfiles: BuildKit's own, and the same from an image, which `# syntax=` may name. */
const frontends: ReadonlySet<string> = new Set(['dockerfile.v0', 'gateway.v0']);

/**
 * What BuildKit's front end `dockerfile.v0` does: fetches the Dockerfile and the context from the client, and builds.
 * Returns the ID of the result, which the build holds until it ends.
 */
export async function buildDockerfile(
  tools: SolveTools,
  build: ActiveBuild,
  session: ClientSession,
  { frontend, attributes }: { readonly frontend: string; readonly attributes: ReadonlyMap<string, string> },
): Promise<string> {
  if (!frontends.has(frontend))
    throw new StatusError(
      'NotSupported',
      `Cannot build with the front end "${frontend}": only Dockerfiles are built here`,
    );
  const options = frontendOptions(attributes);
  const { signal } = build;
  return await build.result(async (hold) => {
    const sessionOf = await sessionsOf(tools, session, options, signal);
    const dockerfile = await loadDockerfile(tools.uploads, build, sessionOf, options);
    await using leases = new AsyncDisposableStack();
    const lease = async (folder: string): Promise<string> =>
      leases.use(await tools.contexts.lease(`${sessionOf(folder).sharedKey} ${folder}`)).path;
    const contextDir = await lease(options.contextFolder);
    await loadContext(build, sessionOf, { options, ignore: dockerfile.ignore, root: contextDir });
    const contexts: Record<string, NamedContext> = {};
    for (const [name, source] of options.contexts) {
      if (source.kind === 'image') contexts[name] = source;
      else {
        const path = await lease(source.folder);
        await loadNamedContext(tools.uploads, build, sessionOf, { name, folder: source.folder, root: path });
        contexts[name] = { kind: 'folder', path };
      }
    }
    const request: BuildRequest = {
      ...options.request,
      contextDir,
      contexts,
      dockerfileName: dockerfile.name,
      dockerfile: dockerfile.text,
      // The client has left out what is ignored.
      dockerignore: '',
      tags: [],
      entitlements: build.request.entitlements,
      auth: (registry) => sessionCredentials(session, registry, signal),
      mixesEvents: true,
      session: lendSession(session),
      take: hold,
    };
    await tools.engine.builder.build(request, new BuildProgress(build.log, build.ref).onEvent, signal);
  });
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
