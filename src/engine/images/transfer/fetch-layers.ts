import { reasonOf } from '#base/errors.ts';
import type { Descriptor } from '#formats/oci.ts';
import { inTurn } from '../in-turn.ts';
import type { OnProgress } from '../images.ts';
import type { Room, WantedLayer } from '../room.ts';
import { decompress } from '../stream/decompress.ts';
import { observe } from '../stream/observe.ts';
import { readFileChunks } from '../stream/read-file.ts';
import { ProgressLine } from './progress-lines.ts';

export interface LayerFetch {
  /** Makes a blob be in the cache, which holds it. */
  download(descriptor: Descriptor, line: ProgressLine, signal: AbortSignal): Promise<void>;
  /** The repository's full name; undefined for what comes from elsewhere. */
  readonly source: string | undefined;
  readonly onProgress: OnProgress;
}

/**
 * Brings the layers of an image into the snapshots: downloads side by side, unpacks from the lowest to the topmost.
 * A layer that another pull is at is waited for. The first failure ends the rest, and is thrown when all have ended.
 */
export async function fetchLayers(
  room: Room,
  fetch: LayerFetch,
  layers: readonly (readonly [WantedLayer, Descriptor])[],
  signal: AbortSignal,
): Promise<void> {
  const failure = new AbortController();
  const either = AbortSignal.any([signal, failure.signal]);
  const tasks: Promise<void>[] = [];
  const lines = layers.map(([layer, { digest }]) => {
    const line = new ProgressLine(digest, fetch.onProgress);
    line.say(room.snapshots.layer(layer.chainId) === undefined ? 'Pulling fs layer' : 'Already exists');
    return line;
  });
  for (const [index, [layer, descriptor]] of layers.entries()) {
    const line = lines[index] ?? new ProgressLine(descriptor.digest, fetch.onProgress);
    const one = new OneLayer(room, fetch, layer, descriptor, line);
    const below = tasks[index - 1] ?? Promise.resolve();
    const task = one.fetch(below, either);
    task.catch((error: unknown) => failure.abort(error));
    tasks.push(task);
  }
  await Promise.allSettled(tasks);
  signal.throwIfAborted();
  failure.signal.throwIfAborted();
}

class OneLayer {
  readonly #room: Room;
  readonly #fetch: LayerFetch;
  readonly #layer: WantedLayer;
  readonly #descriptor: Descriptor;
  readonly #line: ProgressLine;

  constructor(room: Room, fetch: LayerFetch, layer: WantedLayer, descriptor: Descriptor, line: ProgressLine) {
    this.#room = room;
    this.#fetch = fetch;
    this.#layer = layer;
    this.#descriptor = descriptor;
    this.#line = line;
  }

  async fetch(below: Promise<void>, signal: AbortSignal): Promise<void> {
    const { layers, snapshots, notes } = this.#room;
    const { chainId, diffId } = this.#layer;
    const { digest, size, mediaType } = this.#descriptor;
    let tarSizeBytes: number | undefined;
    await inTurn(
      (work) => layers.exclusively(chainId, work),
      async () => {
        if (snapshots.layer(chainId) !== undefined) return this.#line.say('Already exists');
        await using _kept = this.#room.blobs.hold(digest);
        await this.#download(signal);
        await below;
        tarSizeBytes = await this.#unpack(signal);
      },
      signal,
    );
    await below;
    if (tarSizeBytes !== undefined) await notes.setTarSize(diffId, tarSizeBytes);
    await notes.addBlob(diffId, { digest, sizeBytes: size, mediaType }, this.#fetch.source);
  }

  async #download(signal: AbortSignal): Promise<void> {
    const { downloads } = this.#room;
    const line = this.#line;
    line.say('Waiting');
    await inTurn(
      (work) => downloads.run(work),
      () => this.#fetch.download(this.#descriptor, line, signal),
      signal,
    );
    line.say('Verifying Checksum');
    line.say('Download complete');
  }

  async #unpack(signal: AbortSignal): Promise<number> {
    const { parent, diffId } = this.#layer;
    const { digest, size } = this.#descriptor;
    let tarSizeBytes = 0;
    const file = readFileChunks(this.#room.blobs.pathOf(digest));
    const blob = observe(file, (bytes) => this.#line.count('Extracting', bytes, size), signal);
    const tar = observe(decompress(blob), (bytes) => (tarSizeBytes = bytes), signal);
    try {
      await this.#room.snapshots.unpack(parent, tar, diffId, signal);
    } catch (error) {
      // Kept from earlier and harmed on the disk since, or wrong from the start: not to be used again.
      if (reasonOf(error) === 'Damaged') await this.#room.blobs.remove(digest);
      throw error;
    }
    this.#line.say('Pull complete');
    return tarSizeBytes;
  }
}
