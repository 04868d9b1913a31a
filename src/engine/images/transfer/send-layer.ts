import { pipeline, Readable } from 'node:stream';
import { createGzip } from 'node:zlib';

import { reasonOf } from '#base/errors.ts';
import { mediaTypes } from '#formats/oci.ts';
import type { Descriptor, Digest } from '#formats/oci.ts';
import { fullName, parseReference } from '#formats/reference.ts';
import type { Reference } from '#formats/reference.ts';
import { mountBlob, uploadStream } from '../registry/blob-upload.ts';
import type { Repository } from '../registry/repository.ts';
import type { Room, WantedLayer } from '../room.ts';
import type { BlobNote } from '../store/layer-notes.ts';
import { observe } from '../stream/observe.ts';
import type { ProgressLine } from './progress-lines.ts';
import type { PushedLayer } from './push-manifest.ts';

/** Blobs of one layer that a registry is asked for before the layer is sent. */
const candidatesMost = 4;
/** Other repositories that one blob is asked to be mounted from. */
const mountsMost = 2;

export interface LayerDestination {
  readonly repository: Repository;
  readonly reference: Reference;
}

/**
 * Makes a repository have a layer, as `original` (the blob that the image's own manifest names) if it can be: the
 * registry may have it, or can mount it from another repository; else the layer is compressed anew and sent.
 */
export async function sendLayer(
  room: Room,
  { repository, reference }: LayerDestination,
  layer: WantedLayer,
  original: Descriptor | undefined,
  line: ProgressLine,
  signal: AbortSignal,
): Promise<PushedLayer> {
  const name = fullName(reference);
  const candidates = candidatesFor(room, layer.diffId, original);
  for (const blob of candidates) {
    if (!(await repository.hasBlob(blob.digest, signal))) continue;
    line.say('Layer already exists');
    return await noted(room, layer.diffId, blob, name);
  }
  let begun: URL | undefined;
  for (const blob of candidates) {
    for (const from of mountSources(blob, reference)) {
      const answer = await tryMount(repository, blob.digest, from.path, signal);
      if (answer === 'mounted') {
        line.say(`Mounted from ${from.path}`);
        return await noted(room, layer.diffId, blob, name);
      }
      begun ??= answer;
    }
  }
  const totalBytes = room.notes.get(layer.diffId).tarSizeBytes ?? room.snapshots.layer(layer.chainId)?.sizeBytes ?? 0;
  const compressed = (): AsyncIterable<Uint8Array> => {
    const tar = room.snapshots.pack(layer.chainId, signal);
    return gzip(observe(tar, (bytes) => line.count('Pushing', Math.min(bytes, totalBytes), totalBytes), signal));
  };
  const sent = await uploadStream(repository, compressed, begun, signal);
  line.say('Pushed');
  const blob = { digest: sent.digest, sizeBytes: sent.sizeBytes, mediaType: mediaTypes.dockerLayerGzip };
  return await noted(room, layer.diffId, blob, name);
}

function candidatesFor(room: Room, diffId: Digest, original: Descriptor | undefined): readonly BlobNote[] {
  const { blobs } = room.notes.get(diffId);
  if (original === undefined) return blobs.slice(0, candidatesMost);
  const { digest, size, mediaType } = original;
  const repositories = blobs.find((one) => one.digest === digest)?.repositories ?? [];
  const others = blobs.filter((one) => one.digest !== digest);
  return [{ digest, sizeBytes: size, mediaType, repositories }, ...others].slice(0, candidatesMost);
}

/** Other repositories of the same registry that had the blob. */
function mountSources(blob: BlobNote, to: Reference): readonly Reference[] {
  const all = blob.repositories.map(parseReference);
  return all.filter(({ domain, path }) => domain === to.domain && path !== to.path).slice(0, mountsMost);
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

async function noted(
  room: Room,
  diffId: Digest,
  blob: Omit<BlobNote, 'repositories'>,
  repository: string,
): Promise<PushedLayer> {
  const { digest, sizeBytes, mediaType } = blob;
  await room.notes.addBlob(diffId, { digest, sizeBytes, mediaType }, repository);
  return { digest, size: sizeBytes, mediaType };
}

async function* gzip(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  const stream = createGzip();
  pipeline(Readable.from(source, { objectMode: false }), stream, () => {});
  yield* stream as AsyncIterable<Uint8Array>;
}
