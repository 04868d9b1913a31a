import { StatusError } from '#base/errors.ts';
import { hostPlatform } from '#engine/build/platform.ts';

import type { VersionInfo } from '../context.ts';
import { cacheMethods } from './cache-methods.ts';
import { byteStream } from './grpc/byte-stream.ts';
import { type GrpcCall, type GrpcMethods, streaming, unary } from './grpc/serve-grpc.ts';
import * as messages from './messages/control-messages.ts';
import { ClientSession, sessionHeaders } from './session/client-session.ts';
import type { Sessions } from './session/sessions.ts';
import { ActiveBuild } from './solve/active-build.ts';
import { buildDockerfile } from './solve/build-dockerfile.ts';
import { cacheTargets } from './solve/cache-options.ts';
import type { SolveTools } from './solve/solve-tools.ts';
import type { Builds } from './solve/builds.ts';
import { chooseExport } from './solve/export-result.ts';

const service = '/moby.buildkit.v1.Control';

export interface BuildKit extends SolveTools {
  readonly builds: Builds;
  readonly versionInfo: VersionInfo;
}

/** What buildx calls of `moby.buildkit.v1.Control`. */
export function controlMethods(buildKit: BuildKit): GrpcMethods {
  const version = { package: 'slipway', version: buildKit.versionInfo.version };
  return {
    [`${service}/Info`]: unary(messages.nothing, messages.infoResponse, () => ({ buildkitVersion: version })),
    [`${service}/ListWorkers`]: unary(messages.nothing, messages.listWorkersResponse, () => ({
      record: [worker(buildKit)],
    })),
    [`${service}/Solve`]: unary(messages.solveRequest, messages.solveResponse, async (request, _, signal) => {
      await using build = new ActiveBuild(request, signal);
      await solve(buildKit, build);
      return { exporterResponse: build.response };
    }),
    [`${service}/Status`]: streaming(messages.statusRequest, messages.statusResponse, async ({ ref }, send, signal) => {
      // Who asks late learns from Solve how it ended; an error here would hide that one.
      if (buildKit.builds.hasEnded(ref)) return;
      const build = await buildKit.builds.get(ref, signal);
      for await (const item of build.log.read(signal)) await send(item);
    }),
    [`${service}/Session`]: (call, signal) => serveSession(buildKit.sessions, call, signal),
    ...cacheMethods(buildKit.engine.builder),
  };
}

/** A session within the connection of calls, as buildx opens it for several builds at once. */
async function serveSession(sessions: Sessions, call: GrpcCall, signal: AbortSignal): Promise<void> {
  const headers = sessionHeaders((name) => call.header(name));
  sessions.checkFree(headers.id);
  const { messages, send } = call;
  const socket = byteStream({ messages, send, end: () => {}, close: () => {} });
  await sessions.serve(new ClientSession(headers, socket), signal);
}

/** The one who builds, and what it builds for. */
export function worker({ engine }: BuildKit): { id: string; labels: ReadonlyMap<string, string>; platforms: object[] } {
  const gateway = engine.networks.find('bridge')?.subnets[0]?.gateway;
  const labels = new Map([
    // By this label buildx knows that the daemon exports archives and caches, and pushes by itself.
    ['org.mobyproject.buildkit.worker.snapshotter', 'overlayfs'],
    ['org.mobyproject.buildkit.worker.executor', 'oci'],
  ]);
  if (gateway !== undefined) labels.set('org.mobyproject.buildkit.worker.moby.host-gateway-ip', gateway);
  return { id: 'slipway', labels, platforms: [hostPlatform()] };
}

async function solve(buildKit: BuildKit, build: ActiveBuild): Promise<void> {
  const { request, signal } = build;
  using _ = buildKit.builds.add(build);
  checkSolve(request);
  const exportResult = chooseExport(request);
  const session = await buildKit.sessions.get(request.session, signal);
  const resultId =
    request.frontend === ''
      ? await decided(build)
      : await buildDockerfile(buildKit, build, session, {
          frontend: request.frontend,
          attributes: request.frontendAttrs,
        });
  const result = build.find(resultId);
  if (result === undefined && request.exporters.length > 0)
    throw new StatusError('InvalidArgument', 'Cannot export a result that was not built');
  if (result !== undefined) await exportResult(buildKit.engine, build, session, result);
  await build.finish();
}

/** Waits until the client says which result it wants. Throws what went wrong with it. */
async function decided(build: ActiveBuild): Promise<string> {
  const { promise: gone, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(build.signal.reason);
  build.signal.addEventListener('abort', onAbort, { once: true });
  try {
    const { resultId, error } = await Promise.race([build.decision.promise, gone]);
    if (error !== '') throw build.failure ?? new StatusError('InvalidArgument', error);
    return resultId;
  } finally {
    build.signal.removeEventListener('abort', onAbort);
  }
}

function checkSolve({ definition, frontendInputs, sourcePolicy, cache }: ActiveBuild['request']): void {
  if (definition.length > 0 || frontendInputs.size > 0)
    throw new StatusError(
      'NotSupported',
      'Cannot solve a definition: this daemon builds Dockerfiles, and has no solver of LLB',
    );
  if (sourcePolicy.length > 0)
    throw new StatusError('NotSupported', 'Cannot build with a source policy; leave it away');
  cacheTargets(cache?.exports ?? []);
}
