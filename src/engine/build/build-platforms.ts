import { StatusError } from '#base/errors.ts';
import type { Digest, Platform } from '#formats/oci.ts';
import type { BuildEvent, Builder, BuildRequest, BuildResult } from './builder.ts';

/**
 * Builds for each of the request's platforms, at once, and gives all results together to its taker; the first failure ends
 * the others. A request for one platform is built as it is. Returns the ID of the first image. Throws NotSupported.
 */
export async function buildPlatforms(
  build: Builder['build'],
  request: BuildRequest,
  onEvent: (event: BuildEvent) => void,
  signal: AbortSignal,
): Promise<Digest> {
  const { platforms = [], take, cacheTo = [], ...shared } = request;
  const [first, ...more] = platforms;
  if (more.length === 0) {
    const platform = first ?? request.platform;
    return await build({ ...request, ...(platform !== undefined && { platform }) }, onEvent, signal);
  }
  if (take === undefined)
    throw new StatusError(
      'NotSupported',
      'Cannot build for several platforms in this way; build for each, or by buildx',
    );
  if (cacheTo.some(({ kind }) => kind !== 'inline'))
    throw new StatusError(
      'NotSupported',
      'Cannot export one cache of several platforms: take type=inline, or build for each with a cache of its own',
    );
  const failure = new AbortController();
  const either = AbortSignal.any([signal, failure.signal]);
  const gathering = new Gathering(platforms.length, (results) => take(results, either));
  const buildOne = async (platform: Platform, index: number): Promise<Digest> => {
    try {
      return await build(
        {
          ...shared,
          platform,
          cacheTo,
          take: async ([result], own) => {
            if (result !== undefined) await gathering.add(index, result, own);
          },
        },
        (event) => onEvent({ ...event, platform }),
        either,
      );
    } catch (error) {
      failure.abort(error);
      throw error;
    }
  };
  const ended = await Promise.allSettled(platforms.map(buildOne));
  signal.throwIfAborted();
  if (failure.signal.aborted) throw failure.signal.reason;
  const [image] = ended;
  if (image?.status !== 'fulfilled') throw new Error('invariant broken: a build that failed said nothing');
  return image.value;
}

/** Results that wait for each other. */
class Gathering {
  readonly #count: number;
  readonly #take: (results: readonly BuildResult[]) => Promise<void>;
  readonly #results = new Map<number, BuildResult>();
  readonly #taken = Promise.withResolvers<void>();

  constructor(count: number, take: (results: readonly BuildResult[]) => Promise<void>) {
    this.#count = count;
    this.#take = take;
    this.#taken.promise.catch(() => {});
  }

  /** Resolves when all results are there and have been taken, or the signal aborts. */
  async add(index: number, result: BuildResult, signal: AbortSignal): Promise<void> {
    this.#results.set(index, result);
    if (this.#results.size === this.#count) {
      const inOrder = [...this.#results].sort(([one], [other]) => one - other).map(([, one]) => one);
      this.#take(inOrder).then(this.#taken.resolve, this.#taken.reject);
    }
    const { promise: gone, resolve } = Promise.withResolvers<void>();
    const onAbort = (): void => resolve();
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) resolve();
    try {
      await Promise.race([this.#taken.promise, gone]);
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
    signal.throwIfAborted();
  }
}
