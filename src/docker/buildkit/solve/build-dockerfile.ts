import { nowMs } from '#base/clock.ts';
import { StatusError } from '#base/errors.ts';
import type { BuildRequest, BuildResult } from '#engine/build/builder.ts';

import { BuildProgress } from '../progress/build-progress.ts';
import { platformProgress } from '../progress/platform-progress.ts';
import type { ClientSession } from '../session/client-session.ts';
import { lendSession } from '../session/lend-session.ts';
import { sessionCredentials } from '../session/session-credentials.ts';
import type { ActiveBuild, Claim } from './active-build.ts';
import { frontendOptions } from './frontend-options.ts';
import { dockerfileTask } from './load-sources.ts';
import { openCaches } from './open-caches.ts';
import { openSources } from './open-sources.ts';
import { provenanceOf } from './provenance.ts';
import { sbomOf } from './sbom.ts';
import type { SolveTools } from './solve-tools.ts';

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
  const exporters = build.request.exporters.map(({ type }) => type);
  const files = exporters.find((type) => type === 'local' || type === 'tar');
  const { provenance, sbom } = options;
  const claim = sbom !== undefined ? 'sbom' : provenance?.inlineOnly === false ? 'provenance' : undefined;
  if (files !== undefined && claim !== undefined)
    throw new StatusError(
      'NotSupported',
      `Cannot write the ${claim} beside files (type=${files}): it goes with images; leave --${claim} away`,
    );
  const { signal } = build;
  const startedMs = nowMs();
  return await build.result(async (hold) => {
    await using stack = new AsyncDisposableStack();
    const sources = await openSources(tools, build, session, options, stack);
    const request: BuildRequest = {
      ...options.request,
      ...sources,
      // What is ignored is left out already.
      dockerignore: '',
      ...openCaches(build, session, attributes),
      tags: [],
      entitlements: build.request.entitlements,
      auth: (registry) => sessionCredentials(session, registry, signal),
      mixesEvents: true,
      session: lendSession(session),
      take: async (results) => {
        const origin = ({ platform, bases }: BuildResult): readonly Claim[] => {
          if (provenance === undefined) return [];
          const facts = { id: build.ref, startedMs, finishedMs: nowMs(), attributes, platform, bases };
          const attestation = provenanceOf(provenance, { ...facts, ...sources, contextUrl: options.contextUrl });
          return [{ attestation, onPushOnly: provenance.inlineOnly }];
        };
        const packages = async (result: BuildResult): Promise<readonly Claim[]> => {
          const listed = sbom === undefined ? [] : await sbomOf(build, sbom, result);
          return listed.map((attestation) => ({ attestation, onPushOnly: false }));
        };
        const images = await Promise.all(
          results.map(async (result) => ({ ...result, claims: [...(await packages(result)), ...origin(result)] })),
        );
        await hold({ images });
      },
    };
    const source = { name: sources.dockerfileName, lines: sources.dockerfile.split('\n') };
    const onEvent = platformProgress(
      request.platforms ?? [],
      (platform) => new BuildProgress(build.log, build.ref, dockerfileTask(build, options), source, platform),
    );
    await tools.engine.builder.build(request, onEvent, signal);
  });
}
