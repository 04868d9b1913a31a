import { mkdir, rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';

import { messageOf, StatusError } from '#base/errors.ts';
import { ConcurrencyLimit } from '#base/limit.ts';
import type { Logger } from '#base/logger.ts';
import { parseDockerfile } from '#formats/dockerfile/parse-dockerfile.ts';
import type { Digest } from '#formats/oci.ts';
import type { EventLog } from '../events/event-log.ts';
import type { Images } from '../images/images.ts';
import type { Snapshots } from '../snapshots/snapshots.ts';
import { buildImage, type BuildTools } from './build-image.ts';
import type { Builder, StepRunner } from './builder.ts';
import { buildPlatforms } from './build-platforms.ts';
import { checkDockerfile } from './check-dockerfile.ts';
import { contextPaths } from './context-paths.ts';
import { CacheContents } from './cache-contents.ts';
import { CacheMounts } from './cache-mounts.ts';
import { LayerGoneError, LayerSteps, snapshotPrefix } from './layer-steps.ts';
import { fetchContext } from './fetch-context.ts';
import { sweepLayers } from './layer-sweep.ts';
import { hostPlatform } from './platform.ts';
import { StepCache } from './step-cache.ts';
import { globalVariables } from './variables.ts';

export interface BuilderOptions {
  /** Durable: the index of the cache and cache mounts. */
  readonly dataDir: string;
  readonly images: Images;
  readonly snapshots: Snapshots;
  readonly steps: StepRunner;
  readonly events: EventLog;
  readonly logger: Logger;
  /** `HTTP_PROXY`, `HTTPS_PROXY`, `NO_PROXY` for ADD and contexts that are not on loopback. */
  readonly proxy?: Readonly<Record<string, string | undefined>>;
}

/** Builds at once in this engine; further ones wait. */
const maxBuilds = 8;
/** How often a build begins anew since somebody removed a layer under it. */
const maxAttempts = 3;

/**
 * Opens the builder and sweeps what builds left that were interrupted: snapshots, temporary files, layers that neither
 * an image nor the cache names. Closing waits for nothing: builds end by their own signals.
 */
export async function openBuilder(options: BuilderOptions, signal: AbortSignal): Promise<Builder & AsyncDisposable> {
  const { dataDir, images, snapshots, events, logger, proxy = {} } = options;
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const folder = join(dataDir, 'tmp');
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { mode: 0o700 });
  const cacheMounts = new CacheMounts(join(dataDir, 'cache-mounts'));
  await cacheMounts.open();
  const cache = await StepCache.open(join(dataDir, 'steps.jsonl'));
  await sweepLeftovers(options, cache, signal);
  const onEvicted = async (chainIds: readonly Digest[]): Promise<void> => {
    if (chainIds.length === 0) return;
    await sweepLayers({ images, snapshots, cached: cachedLayers(cache) }, chainIds).catch((error: unknown) =>
      logger.warn('cannot remove layers of the build cache', { error: messageOf(error) }),
    );
  };
  const limit = new ConcurrencyLimit(availableParallelism());
  const steps = new LayerSteps({ snapshots, cache, limit, onEvicted });
  const tools: BuildTools = { images, snapshots, runner: options.steps, steps, cache, cacheMounts, folder, proxy };
  const builds = new ConcurrencyLimit(maxBuilds);
  const contents = new CacheContents({ images, snapshots, cache, cacheMounts, folder: dataDir });
  return {
    build: async (request, onEvent, signal) =>
      await builds.run(async () => {
        const build: Builder['build'] = (...args) => attempt(tools, ...args);
        const imageId = await buildPlatforms(build, request, onEvent, signal);
        onEvent({ kind: 'built', imageId });
        return imageId;
      }, signal),
    check: (request) => {
      const dockerfile = parseDockerfile(request.dockerfile, request.dockerfileName);
      return checkDockerfile(images, dockerfile, request);
    },
    contextPaths: (request) => readPaths(images, request),
    fetchContext: async (url, context, signal) =>
      await fetchContext(url, { session: undefined, ...context, scratchDir: folder, proxy }, signal),
    cacheEntries: (signal) => contents.entries(signal),
    pruneCache: async (options, signal) => {
      const pruned = await contents.prune(options, signal);
      events.publish('builder', 'prune', '', { reclaimed: String(pruned.freedBytes) });
      return pruned;
    },
    [Symbol.asyncDispose]: async () => await cache.flush(),
  };
}

/** Images that a pull may replace have triggers that are not known yet. */
function readPaths(images: Images, request: Parameters<Builder['contextPaths']>[0]): readonly string[] | undefined {
  const { contexts = {}, buildArgs, pull, target } = request;
  const dockerfile = parseDockerfile(request.dockerfile, request.dockerfileName);
  const build = hostPlatform();
  const wanted = request.platforms ?? [request.platform ?? build];
  const all = wanted.map((platform) => {
    const globals = globalVariables(dockerfile, buildArgs, { target: platform, build, stage: target });
    return contextPaths({ dockerfile, globals, contexts }, target, (name) => {
      const image = pull ? undefined : images.find(name, platform);
      return image === undefined ? undefined : (image.config.config?.OnBuild ?? []);
    });
  });
  const known = all.filter((paths) => paths !== undefined);
  return known.length < all.length ? undefined : [...new Set(known.flat())];
}

async function attempt(tools: BuildTools, ...[request, onEvent, signal]: Parameters<Builder['build']>) {
  for (let attempts = 1; ; attempts += 1) {
    try {
      return await buildImage(tools, request, onEvent, signal);
    } catch (error) {
      if (!(error instanceof LayerGoneError)) throw error;
      if (attempts === maxAttempts)
        throw new StatusError('Unavailable', 'Cannot build: layers are removed while they are built on; try again', {
          cause: error,
        });
      onEvent({ kind: 'warning', text: 'A layer was removed during the build, which starts again' });
    } finally {
      await tools.cache.flush();
    }
  }
}

async function sweepLeftovers({ images, snapshots, logger }: BuilderOptions, cache: StepCache, signal: AbortSignal) {
  for (const id of snapshots.writables()) {
    signal.throwIfAborted();
    if (id.startsWith(snapshotPrefix)) await snapshots.remove(id);
  }
  const all = snapshots.layers().map(({ chainId }) => chainId);
  const { removed } = await sweepLayers({ images, snapshots, cached: cachedLayers(cache) }, all);
  if (removed.length > 0) logger.info('layers of interrupted builds removed', { layers: removed.length });
}

function cachedLayers(cache: StepCache): readonly Digest[] {
  return cache.records().flatMap(({ chainId }) => chainId ?? []);
}
