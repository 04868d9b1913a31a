import { reasonOf } from '#base/errors.ts';
import type { Descriptor } from '#formats/oci.ts';
import type { LayerGroup } from '../../snapshots/snapshots.ts';
import { ArchiveFile } from '../../stream/archive-file.ts';
import { inTurn } from '../in-turn.ts';
import type { OnProgress } from '../images.ts';
import { makeLayers } from '../make-layers.ts';
import type { LayerMaking } from '../make-layers.ts';
import type { Room, WantedLayer } from '../room.ts';
import type { AddedNote } from '../store/layer-notes.ts';
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
  await using makings = new AsyncDisposableStack();
  const all = layers.map(([layer, descriptor]) => makings.use(new FetchedLayer(room, fetch, layer, descriptor)));
  for (const one of all) one.announce();
  await makeLayers(room, all, signal);
  await room.notes.add(all.map((one) => one.note()));
}

class FetchedLayer implements LayerMaking, AsyncDisposable {
  readonly layer: WantedLayer;
  readonly #room: Room;
  readonly #fetch: LayerFetch;
  readonly #descriptor: Descriptor;
  readonly #line: ProgressLine;
  #kept: AsyncDisposable | undefined;
  #tarSizeBytes: number | undefined;

  constructor(room: Room, fetch: LayerFetch, layer: WantedLayer, descriptor: Descriptor) {
    this.layer = layer;
    this.#room = room;
    this.#fetch = fetch;
    this.#descriptor = descriptor;
    this.#line = new ProgressLine(descriptor.digest, fetch.onProgress);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#release();
  }

  announce(): void {
    const isThere = this.#room.snapshots.layer(this.layer.chainId) !== undefined;
    this.#line.say(isThere ? 'Already exists' : 'Pulling fs layer');
  }

  onPresent(): void {
    this.#line.say('Already exists');
  }

  onMade(): void {
    this.#line.say('Pull complete');
  }

  note(): AddedNote {
    const { digest, size: sizeBytes, mediaType } = this.#descriptor;
    const { source: repository } = this.#fetch;
    return {
      diffId: this.layer.diffId,
      tarSizeBytes: this.#tarSizeBytes,
      blob: { digest, sizeBytes, mediaType },
      repository,
    };
  }

  async fetch(signal: AbortSignal): Promise<void> {
    this.#kept = this.#room.blobs.hold(this.#descriptor.digest);
    await this.#download(signal);
  }

  async unpack(group: LayerGroup, signal: AbortSignal): Promise<void> {
    const { parent, diffId } = this.layer;
    const { digest, size } = this.#descriptor;
    const tar = new ArchiveFile(this.#room.blobs.pathOf(digest), (blobBytes, tarBytes) => {
      this.#tarSizeBytes = tarBytes;
      this.#line.count('Extracting', blobBytes, size);
    });
    try {
      await group.unpack(parent, tar, diffId, signal);
    } catch (error) {
      // Kept from earlier and harmed on the disk since, or wrong from the start: not to be used again.
      if (reasonOf(error) === 'Damaged') await this.#room.blobs.remove(digest);
      throw error;
    }
    await this.#release();
  }

  async #release(): Promise<void> {
    const kept = this.#kept;
    this.#kept = undefined;
    await kept?.[Symbol.asyncDispose]();
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
}
