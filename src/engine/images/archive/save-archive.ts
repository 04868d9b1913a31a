import { createHash } from 'node:crypto';

import { StatusError } from '#base/errors.ts';
import { mediaTypes } from '#formats/oci.ts';
import { hexOf } from '#formats/oci.ts';
import type { Descriptor, Digest } from '#formats/oci.ts';
import { familiarName, familiarReference, fullReference, parseReference } from '#formats/reference.ts';
import type { Reference } from '#formats/reference.ts';
import { tarEntry, writeTar } from '#formats/tar/write-tar.ts';
import type { TarInput } from '#formats/tar/write-tar.ts';
import { wantedLayers } from '../room.ts';
import type { Room, WantedLayer } from '../room.ts';
import { digestOf } from '../store/chain.ts';
import { getImage, namesById, noSuchImage } from '../store/find-image.ts';
import type { StoredImage } from '../store/image-record.ts';
import { readFileChunks } from '../stream/read-file.ts';

/** An image to save and the names to give it. */
export interface SavedImage {
  readonly image: StoredImage;
  readonly tags: readonly Reference[];
}

const blobsFolder = 'blobs/sha256/';

/** The images that the names mean: a tag, a whole repository, or an ID, which saves the image without names. */
export function selectImages(room: Room, names: readonly string[]): readonly SavedImage[] {
  const selected = new Map<Digest, SavedImage>();
  const add = (image: StoredImage, tags: readonly Reference[]): void => {
    const before = selected.get(image.id)?.tags ?? [];
    const fresh = tags.filter((tag) => !before.some((one) => fullReference(one) === fullReference(tag)));
    selected.set(image.id, { image, tags: [...before, ...fresh] });
  };
  for (const name of names) {
    const repository = repositoryOf(name);
    const tags = repository === undefined ? [] : room.store.tagsOf(repository.domain, repository.path);
    if (tags.length > 0) {
      for (const tag of tags) add(room.store.named(tag) ?? fail(name), [tag]);
      continue;
    }
    const image = getImage(room.store, name);
    const tag = namesById(room.store, image, name) ? undefined : parseReference(name);
    add(image, tag?.tag === undefined || tag.digest !== undefined ? [] : [tag]);
  }
  return [...selected.values()];
}

/**
 * One tar that is an OCI layout (image-layout.md) and a docker-archive at once: with the manifest and the compressed
 * layers that an image came by while those are kept, else with uncompressed layers. The layers are held until the reader
 * has read or left.
 */
export async function* saveArchive(
  room: Room,
  saved: readonly SavedImage[],
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  using _hold = room.layers.hold(saved.flatMap(({ image }) => image.chain));
  const blobs = new Map<Digest, TarInput>();
  const manifests: (readonly [SavedImage, Descriptor])[] = [];
  const dockerManifests: object[] = [];
  await using held = new AsyncDisposableStack();
  for (const one of saved) {
    const { id, configBytes } = one.image;
    const original = await originalOf(room, one.image, held);
    const { bytes, mediaType, layers } = original ?? (await plainManifest(room, one.image, signal));
    const digest = digestOf(bytes);
    for (const layer of layers) blobs.set(layer.digest, layer.input);
    blobs.set(id, file(blobsFolder + hexOf(id), configBytes));
    blobs.set(digest, file(blobsFolder + hexOf(digest), bytes));
    manifests.push([one, { mediaType, digest, size: bytes.length }]);
    dockerManifests.push(dockerManifest(one, layers));
  }
  yield* writeTar([
    { entry: tarEntry('blobs/', { type: 'directory' }) },
    { entry: tarEntry(blobsFolder, { type: 'directory' }) },
    ...[...blobs.keys()].toSorted().map((digest) => blobs.get(digest) as TarInput),
    file('index.json', jsonBytes(indexOf(manifests))),
    file('manifest.json', jsonBytes(dockerManifests)),
    file('oci-layout', jsonBytes({ imageLayoutVersion: '1.0.0' })),
    file('repositories', jsonBytes(repositoriesOf(saved))),
  ]);
}

interface SavedManifest {
  readonly bytes: Uint8Array;
  readonly mediaType: string;
  readonly layers: readonly { readonly digest: Digest; readonly input: TarInput }[];
}

/** The manifest that the image came by and its compressed layers, when all of them are kept; held until `held` ends. */
async function originalOf(
  room: Room,
  image: StoredImage,
  held: AsyncDisposableStack,
): Promise<SavedManifest | undefined> {
  const original = await room.store.originalOf(image);
  if (original === undefined) return undefined;
  const { bytes, mediaType, manifest } = original;
  for (const { digest } of manifest.layers) held.use(room.blobs.hold(digest));
  if (!manifest.layers.every(({ digest }) => room.blobs.has(digest))) return undefined;
  const layers = manifest.layers.map(({ digest, size }) => ({
    digest,
    input: {
      entry: tarEntry(blobsFolder + hexOf(digest), { sizeBytes: size }),
      body: verified(room, digest),
    },
  }));
  return { bytes, mediaType, layers };
}

/** A manifest of uncompressed layers: the same image gives the same bytes. */
async function plainManifest(room: Room, image: StoredImage, signal: AbortSignal): Promise<SavedManifest> {
  const descriptors: Descriptor[] = [];
  const layers: { digest: Digest; input: TarInput }[] = [];
  for (const layer of wantedLayers(image.config.rootfs.diff_ids, image.chain)) {
    const size = await tarSize(room, layer, signal);
    descriptors.push({ mediaType: mediaTypes.ociLayer, digest: layer.diffId, size });
    const entry = tarEntry(blobsFolder + hexOf(layer.diffId), { sizeBytes: size });
    layers.push({ digest: layer.diffId, input: { entry, body: room.snapshots.pack(layer.chainId, signal) } });
  }
  const config = { mediaType: mediaTypes.ociConfig, digest: image.id, size: image.configBytes.length };
  const mediaType = mediaTypes.ociManifest;
  return { bytes: jsonBytes({ schemaVersion: 2, mediaType, config, layers: descriptors }), mediaType, layers };
}

/** Bytes of the layer's tar, which its header in the archive needs before the first is written: counted once. */
async function tarSize(room: Room, { chainId, diffId }: WantedLayer, signal: AbortSignal): Promise<number> {
  const known = room.notes.get(diffId).tarSizeBytes;
  if (known !== undefined) return known;
  let sizeBytes = 0;
  for await (const chunk of room.snapshots.pack(chainId, signal)) sizeBytes += chunk.length;
  await room.notes.setTarSize(diffId, sizeBytes);
  return sizeBytes;
}

/** Names in annotations as containerd, Docker and skopeo read them. */
function indexOf(manifests: readonly (readonly [SavedImage, Descriptor])[]): object {
  const entries = manifests.flatMap(([{ tags }, descriptor]): Descriptor[] => {
    if (tags.length === 0) return [descriptor];
    return tags.map((tag) => ({
      ...descriptor,
      annotations: {
        'io.containerd.image.name': fullReference(tag),
        'org.opencontainers.image.ref.name': tag.tag ?? '',
      },
    }));
  });
  return { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: entries };
}

function dockerManifest({ image, tags }: SavedImage, saved: SavedManifest['layers']): object {
  const layers = saved.map(({ digest }) => blobsFolder + hexOf(digest));
  const repoTags = tags.length === 0 ? null : tags.map(familiarReference);
  return { Config: blobsFolder + hexOf(image.id), RepoTags: repoTags, Layers: layers };
}

function repositoriesOf(saved: readonly SavedImage[]): object {
  const repositories: Record<string, Record<string, string>> = {};
  for (const { image, tags } of saved) {
    const top = image.config.rootfs.diff_ids.at(-1);
    for (const tag of tags) {
      if (top !== undefined) (repositories[familiarName(tag)] ??= {})[tag.tag ?? ''] = hexOf(top);
    }
  }
  return repositories;
}

/** Kept layers may have been harmed on the disk: the reader must not take such for whole. */
async function* verified({ blobs }: Room, digest: Digest): AsyncGenerator<Uint8Array, void, undefined> {
  const hash = createHash('sha256');
  for await (const chunk of readFileChunks(blobs.pathOf(digest))) {
    hash.update(chunk);
    yield chunk;
  }
  if (`sha256:${hash.digest('hex')}` === digest) return;
  await blobs.remove(digest);
  throw new StatusError('Damaged', `Cannot save ${digest}: the kept layer was harmed on the disk; save again`);
}

function file(path: string, body: Uint8Array): TarInput {
  return { entry: tarEntry(path, { sizeBytes: body.length }), body };
}

function jsonBytes(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}

/** The reference when the name is a repository alone. */
function repositoryOf(name: string): Reference | undefined {
  try {
    const reference = parseReference(name);
    return reference.tag === undefined && reference.digest === undefined ? reference : undefined;
  } catch {
    return undefined;
  }
}

function fail(name: string): never {
  throw noSuchImage(name);
}
