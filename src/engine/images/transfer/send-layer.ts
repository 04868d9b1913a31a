import { reasonOf } from '#base/errors.ts';
import { mediaTypes } from '#formats/oci.ts';
import type { Descriptor, Digest } from '#formats/oci.ts';
import { fullName, parseReference } from '#formats/reference.ts';
import type { Reference } from '#formats/reference.ts';
import { mountBlob, uploadStream } from '../registry/blob-upload.ts';
import { Repository } from '../registry/repository.ts';
import type { Room, WantedLayer } from '../room.ts';
import type { BlobNote } from '../store/layer-notes.ts';
import { gzip } from '../../stream/gzip.ts';
import { observe } from '../../stream/observe.ts';
import { readFileChunks } from '../../stream/read-file.ts';
import { fetchBlob } from './fetch-blob.ts';
import type { ProgressLine } from './progress-lines.ts';
import type { PushedLayer } from './push-manifest.ts';

/** Blobs of one layer that a registry is asked for before the layer is sent. */
const candidatesMost = 4;
/** Other repositories that one blob is asked to be mounted from, or fetched from. */
const sourcesMost = 2;

export interface LayerDestination {
  readonly repository: Repository;
  readonly reference: Reference;
}

/**
 * Makes a repository have a layer, as `original` (the blob that the image's own manifest names) if it can be had at all:
 * the registry may have it, or mount it from another repository, it may be kept here, or be fetched again from where it
 * came from. Else any other known blob will do, and else the layer is compressed anew.
 */
export async function sendLayer(
  room: Room,
  destination: LayerDestination,
  layer: WantedLayer,
  original: Descriptor | undefined,
  line: ProgressLine,
  signal: AbortSignal,
): Promise<PushedLayer> {
  const sender = new LayerSender(room, destination, line, signal);
  const blob = (await sender.sendKnown(layer, original)) ?? (await sender.compress(layer));
  const { digest, sizeBytes, mediaType } = blob;
  const repository = fullName(destination.reference);
  await room.notes.add([{ diffId: layer.diffId, blob: { digest, sizeBytes, mediaType }, repository }]);
  return { digest, size: sizeBytes, mediaType };
}

type Blob = Omit<BlobNote, 'repositories'>;

class LayerSender {
  readonly #room: Room;
  readonly #to: LayerDestination;
  readonly #line: ProgressLine;
  readonly #signal: AbortSignal;
  /** An upload that the registry began where it was asked to mount. */
  #begun: URL | undefined;

  constructor(room: Room, to: LayerDestination, line: ProgressLine, signal: AbortSignal) {
    this.#room = room;
    this.#to = to;
    this.#line = line;
    this.#signal = signal;
  }

  async sendKnown(layer: WantedLayer, original: Descriptor | undefined): Promise<BlobNote | undefined> {
    const { blobs } = this.#room.notes.get(layer.diffId);
    const others = blobs.filter(({ digest }) => digest !== original?.digest).slice(0, candidatesMost);
    const ways = [this.#isThere, this.#mount, this.#sendKept] as const;
    if (original !== undefined) {
      const repositories = blobs.find(({ digest }) => digest === original.digest)?.repositories ?? [];
      const { digest, size, mediaType } = original;
      const blob = { digest, sizeBytes: size, mediaType, repositories };
      for (const way of [...ways, this.#sendFromOrigin]) if (await way(blob)) return blob;
    }
    for (const way of ways) for (const blob of others) if (await way(blob)) return blob;
    return undefined;
  }

  async compress(layer: WantedLayer): Promise<Blob> {
    const { notes, snapshots } = this.#room;
    const totalBytes = notes.get(layer.diffId).tarSizeBytes ?? snapshots.layer(layer.chainId)?.sizeBytes ?? 0;
    const open = (): AsyncIterable<Uint8Array> => {
      const tar = snapshots.pack(layer.chainId, this.#signal);
      return gzip(this.#observed(tar, totalBytes));
    };
    const sent = await uploadStream(this.#to.repository, { open }, this.#begun, this.#signal);
    this.#line.say('Pushed');
    return { ...sent, mediaType: mediaTypes.dockerLayerGzip };
  }

  readonly #isThere = async ({ digest }: BlobNote): Promise<boolean> => {
    if (!(await this.#to.repository.hasBlob(digest, this.#signal))) return false;
    this.#line.say('Layer already exists');
    return true;
  };

  readonly #mount = async (blob: BlobNote): Promise<boolean> => {
    const { reference, repository } = this.#to;
    for (const from of this.#sources(blob, (domain) => domain === reference.domain)) {
      const answer = await tryMount(repository, blob.digest, from.path, this.#signal);
      if (answer === 'mounted') {
        this.#line.say(`Mounted from ${from.path}`);
        return true;
      }
      this.#begun ??= answer;
    }
    return false;
  };

  readonly #sendKept = async ({ digest, sizeBytes }: BlobNote): Promise<boolean> => {
    const { blobs } = this.#room;
    await using _kept = blobs.hold(digest);
    if (!blobs.has(digest)) return false;
    const open = (): AsyncIterable<Uint8Array> => this.#observed(readFileChunks(blobs.pathOf(digest)), sizeBytes);
    const begun = this.#begun;
    this.#begun = undefined;
    try {
      await uploadStream(this.#to.repository, { open, expected: { digest, sizeBytes } }, begun, this.#signal);
    } catch (error) {
      if (reasonOf(error) !== 'Damaged') throw error;
      this.#room.logger.warn('a kept layer was harmed on the disk and is dropped', { digest });
      await blobs.remove(digest);
      return false;
    }
    await blobs.touch(digest);
    this.#line.say('Pushed');
    return true;
  };

  /** Whoever gave us the blob may give it again, to anybody: whose credentials those were is not kept. */
  readonly #sendFromOrigin = async (blob: BlobNote): Promise<boolean> => {
    const descriptor = { digest: blob.digest, size: blob.sizeBytes, mediaType: blob.mediaType };
    for (const from of this.#sources(blob, (domain) => domain !== this.#to.reference.domain)) {
      await using _kept = this.#room.blobs.hold(blob.digest);
      const repository = new Repository(this.#room.connect(from.domain, undefined), from, 'pull');
      try {
        await fetchBlob(this.#room, repository, descriptor, this.#line, this.#signal);
      } catch (error) {
        this.#signal.throwIfAborted();
        this.#room.logger.info('a layer cannot be fetched again', { digest: blob.digest, from: fullName(from), error });
        continue;
      }
      if (await this.#sendKept(blob)) return true;
    }
    return false;
  };

  #sources({ repositories }: BlobNote, fits: (domain: string) => boolean): readonly Reference[] {
    const { reference } = this.#to;
    const all = repositories.map(parseReference).filter(({ domain }) => fits(domain));
    return all.filter((one) => fullName(one) !== fullName(reference)).slice(0, sourcesMost);
  }

  #observed(source: AsyncIterable<Uint8Array>, totalBytes: number): AsyncIterable<Uint8Array> {
    const onBytes = (bytes: number): void => this.#line.count('Pushing', Math.min(bytes, totalBytes), totalBytes);
    return observe(source, onBytes, this.#signal);
  }
}

/** A registry that will not mount (the other repository may be closed to us) is sent the layer. */
async function tryMount(
  repository: Repository,
  digest: Digest,
  fromPath: string,
  signal: AbortSignal,
): Promise<URL | 'mounted' | undefined> {
  try {
    return await mountBlob(repository, digest, fromPath, signal);
  } catch (error) {
    if (['Unauthorized', 'Forbidden', 'NotFound'].includes(reasonOf(error))) return undefined;
    throw error;
  }
}
