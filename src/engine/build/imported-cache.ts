import { messageOf, StatusError } from '#base/errors.ts';
import {
  type BuildCache,
  type BuildCacheStep,
  buildCacheType,
  parseBuildCache,
  parseInlineCache,
} from '#formats/build-cache.ts';
import { type Digest, mediaTypes, type Platform } from '#formats/oci.ts';
import { parseReference } from '#formats/reference.ts';
import type { Images, RemoteLayers, TransferProgress } from '../images/images.ts';
import type { BuildEvent, BuildRequest, CacheSource } from './builder.ts';
import type { TrailStep } from './trail-step.ts';

/** A cache from elsewhere, whose layers are fetched when a step needs them. */
export class ImportedCache {
  readonly #reference: string;
  readonly #cache: BuildCache;
  readonly #steps: ReadonlyMap<string, BuildCacheStep>;
  readonly #remote: Pick<RemoteLayers, 'fetch'>;
  #broken = false;

  constructor(reference: string, cache: BuildCache, remote: Pick<RemoteLayers, 'fetch'>) {
    this.#reference = reference;
    this.#cache = cache;
    this.#steps = new Map(cache.steps.map((step) => [step.key, step]));
    this.#remote = remote;
  }

  /**
   * What a step made, with its layers here and held by the stack; undefined when this cache does not know it. One whose
   * layers cannot be had is not asked again, which a warning says.
   */
  async take(
    key: string,
    holds: DisposableStack,
    emit: (event: BuildEvent) => void,
    signal: AbortSignal,
  ): Promise<Omit<TrailStep, 'key'> | undefined> {
    const step = this.#broken ? undefined : this.#steps.get(key);
    if (step === undefined) return undefined;
    const { createdAtMs, description } = step;
    if (step.layer === undefined) return { chainId: undefined, createdAtMs, description };
    try {
      const onProgress = (progress: TransferProgress): void => emit({ kind: 'progress', ...progress });
      const { chainId } = holds.use(await this.#remote.fetch(this.#chainOf(step.layer), onProgress, signal));
      return { chainId, createdAtMs, description };
    } catch (error) {
      signal.throwIfAborted();
      this.#broken = true;
      emit({ kind: 'warning', text: `Cannot use the cache "${this.#reference}" any more: ${messageOf(error)}` });
      return undefined;
    }
  }

  /** From the lowest layer to that one. */
  #chainOf(top: number): readonly { readonly diffId: Digest; readonly blob: number }[] {
    const chain: { diffId: Digest; blob: number }[] = [];
    for (let index: number | undefined = top; index !== undefined;) {
      const layer: BuildCache['layers'][number] | undefined = this.#cache.layers[index];
      if (layer === undefined) break;
      chain.unshift({ diffId: layer.diffId, blob: index });
      index = layer.parent;
    }
    return chain;
  }
}

/**
 * Opens the caches that a build may use: artifacts of our own, and images that say by which steps they were made. One
 * that cannot be read is said as a warning, and the build goes on without it, as with BuildKit.
 */
export async function openImports(
  images: Images,
  { cacheFrom = [], auth }: BuildRequest,
  platform: Platform,
  emit: (event: BuildEvent) => void,
  signal: AbortSignal,
): Promise<readonly ImportedCache[]> {
  const opened: ImportedCache[] = [];
  for (const source of cacheFrom) {
    const name = typeof source === 'string' ? source : source.name;
    try {
      const remote = await openSource(images, source, { auth, platform }, signal);
      opened.push(new ImportedCache(name, readCache(remote), remote));
      emit({ kind: 'progress', id: '', status: `Using cache of ${name}` });
    } catch (error) {
      signal.throwIfAborted();
      emit({ kind: 'warning', text: `Cannot import the cache "${name}": ${messageOf(error)}` });
    }
  }
  return opened;
}

async function openSource(
  images: Images,
  source: CacheSource,
  { auth, platform }: { readonly auth: BuildRequest['auth']; readonly platform: Platform },
  signal: AbortSignal,
): Promise<RemoteLayers> {
  if (typeof source !== 'string') return await images.openStored(source.store, source.digest, signal);
  const reference = parseReference(source);
  const login = await auth(reference.domain);
  return await images.openArtifact(reference, { platform, ...(login === undefined ? {} : { auth: login }) }, signal);
}

function readCache({ documentType, document, layerCount }: RemoteLayers): BuildCache {
  const isImage = documentType === mediaTypes.ociConfig || documentType === mediaTypes.dockerConfig;
  if (!isImage && documentType !== buildCacheType)
    throw new StatusError('NotSupported', `it is a ${documentType}, which only the builder that made it can read`);
  const cache = isImage ? parseInlineCache(document) : parseBuildCache(document);
  if (cache === undefined)
    throw new StatusError(
      'NotFound',
      'the image does not say by which steps it was made; build it with an inline cache',
    );
  if (cache.layers.length === layerCount) return cache;
  throw new StatusError('Damaged', 'it describes another number of layers than it has');
}
