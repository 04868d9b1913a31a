import { createHash } from 'node:crypto';

import { StatusError } from '#base/errors.ts';
import type { Layer, LayerGroup, Snapshots } from '#engine/snapshots/snapshots.ts';
import type { Digest } from '#formats/oci.ts';

type MemoryLayer = Layer & { readonly tar: Buffer };

/**
 * Layers kept in memory as the tars they came as, for tests of what stands on snapshots. Writable snapshots exist by
 * name only: they hold a layer in place, and have no files.
 */
export class MemorySnapshots implements Pick<
  Snapshots,
  'layer' | 'layers' | 'unpack' | 'group' | 'pack' | 'removeLayer' | 'create' | 'remove' | 'writables'
> {
  readonly #layers = new Map<Digest, MemoryLayer>();
  readonly #writables = new Map<string, Digest | undefined>();
  /** Layers unpacked so far, also those that were there already. */
  unpacked = 0;
  /** Times that a group of layers was made durable. */
  commits = 0;

  layer(chainId: Digest): Layer | undefined {
    return this.#layers.get(chainId);
  }

  layers(): readonly Layer[] {
    return [...this.#layers.values()];
  }

  async unpack(
    parent: Digest | undefined,
    tar: AsyncIterable<Uint8Array>,
    diffId: Digest | undefined,
    signal: AbortSignal,
  ): Promise<Layer> {
    const layer = await this.#read(parent, tar, diffId, (chainId) => this.#layers.has(chainId), signal);
    this.#layers.set(layer.chainId, layer);
    return layer;
  }

  group(): LayerGroup {
    const waiting = new Map<Digest, MemoryLayer>();
    const has = (chainId: Digest): boolean => waiting.has(chainId) || this.#layers.has(chainId);
    const unpack: LayerGroup['unpack'] = async (parent, tar, diffId, signal) => {
      const layer = await this.#read(parent, tar, diffId, has, signal);
      waiting.set(layer.chainId, layer);
      return layer;
    };
    const commit = async (): Promise<void> => {
      await Promise.resolve();
      for (const [chainId, layer] of waiting) this.#layers.set(chainId, layer);
      waiting.clear();
      this.commits += 1;
    };
    return { unpack, commit, [Symbol.asyncDispose]: async () => await Promise.resolve() };
  }

  async #read(
    parent: Digest | undefined,
    tar: AsyncIterable<Uint8Array>,
    diffId: Digest | undefined,
    has: (chainId: Digest) => boolean,
    signal: AbortSignal,
  ): Promise<MemoryLayer> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of tar) {
      signal.throwIfAborted();
      chunks.push(Buffer.from(chunk));
    }
    const bytes = Buffer.concat(chunks);
    const found = sha256(bytes);
    if (diffId !== undefined && diffId !== found) throw new StatusError('Damaged', `layer ${diffId} has ${found}`);
    if (parent !== undefined && !has(parent)) throw new StatusError('NotFound', `no layer ${parent}`);
    const chainId = parent === undefined ? found : sha256(`${parent} ${found}`);
    this.unpacked += 1;
    return { chainId, diffId: found, parent, sizeBytes: bytes.length, tar: bytes };
  }

  async *pack(chainId: Digest, signal: AbortSignal): AsyncGenerator<Uint8Array, void, undefined> {
    const layer = this.#layers.get(chainId);
    if (layer === undefined) throw new StatusError('NotFound', `no layer ${chainId}`);
    const chunkBytes = 65_536;
    for (let at = 0; at < layer.tar.length; at += chunkBytes) {
      signal.throwIfAborted();
      yield layer.tar.subarray(at, at + chunkBytes);
      await Promise.resolve();
    }
  }

  async removeLayer(chainId: Digest): Promise<void> {
    const held = [...this.#writables.values()].includes(chainId);
    if (held || this.layers().some(({ parent }) => parent === chainId)) {
      throw new StatusError('Conflict', `layer ${chainId} is in use`);
    }
    await Promise.resolve();
    this.#layers.delete(chainId);
  }

  async create(id: string, parent: Digest | undefined): Promise<void> {
    await Promise.resolve();
    this.#writables.set(id, parent);
  }

  async remove(id: string): Promise<void> {
    await Promise.resolve();
    this.#writables.delete(id);
  }

  writables(): readonly string[] {
    return [...this.#writables.keys()];
  }
}

function sha256(bytes: Uint8Array | string): Digest {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}
