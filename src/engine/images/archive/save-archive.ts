import { createHash } from 'node:crypto';

import { StatusError } from '#base/errors.ts';
import { hexOf, mediaTypes, platformOf } from '#formats/oci.ts';
import type { Descriptor, Digest, Platform } from '#formats/oci.ts';
import { familiarName, familiarReference, fullReference, parseReference } from '#formats/reference.ts';
import type { Reference } from '#formats/reference.ts';
import { tarEntry, writeTar } from '#formats/tar/write-tar.ts';
import type { TarInput } from '#formats/tar/write-tar.ts';
import type { Attestation } from '../images.ts';
import { makeIndex } from '../make-index.ts';
import type { IndexedImage, MadeIndex } from '../make-index.ts';
import { wantedLayers } from '../room.ts';
import type { Room, WantedLayer } from '../room.ts';
import { digestOf } from '../store/chain.ts';
import { findImages, getImage, namesById } from '../store/find-image.ts';
import type { StoredImage } from '../store/image-record.ts';
import { readFileChunks } from '../../stream/read-file.ts';

/** An image to save and the names to give it. */
export interface SavedImage {
  readonly image: StoredImage;
  /** Names that mean it when no platform is said. */
  readonly tags: readonly Reference[];
  /** Names by which it is one of several. */
  readonly shared: readonly Reference[];
  /** What is claimed of it under a name (in full), instead of what is kept. */
  readonly claims?: ReadonlyMap<string, readonly Attestation[]>;
}

const blobsFolder = 'blobs/sha256/';

/**
 * The images that the names mean: a tag, a whole repository, or an ID, which saves the image without names. Of several
 * platforms that a name stands for all, or the one that is asked for.
 */
export function selectImages(
  room: Room,
  names: readonly string[],
  platform: Platform | undefined,
): readonly SavedImage[] {
  const selected = new Map<Digest, SavedImage>();
  const add = (images: readonly StoredImage[], tag: Reference | undefined): void => {
    for (const [index, image] of images.entries()) {
      const { tags, shared } = selected.get(image.id) ?? { tags: [], shared: [] };
      const more = (list: readonly Reference[]): readonly Reference[] =>
        tag === undefined || list.some((one) => fullReference(one) === fullReference(tag)) ? list : [...list, tag];
      selected.set(image.id, {
        image,
        tags: index === 0 ? more(tags) : tags,
        shared: images.length > 1 ? more(shared) : shared,
      });
    }
  };
  for (const name of names) {
    const repository = repositoryOf(name);
    const tags = repository === undefined ? [] : room.store.tagsOf(repository.domain, repository.path);
    for (const tag of tags) add(imagesOf(room, familiarReference(tag), platform), tag);
    if (tags.length > 0) continue;
    const images = imagesOf(room, name, platform);
    const tag = namesById(room.store, images[0] as StoredImage, name) ? undefined : parseReference(name);
    add(images, tag?.tag === undefined || tag.digest !== undefined ? undefined : tag);
  }
  return [...selected.values()];
}

function imagesOf({ store }: Room, name: string, platform: Platform | undefined): readonly StoredImage[] {
  const first = getImage(store, name, platform);
  return platform === undefined ? findImages(store, name) : [first];
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
  await using held = new AsyncDisposableStack();
  const blobs = new Map<Digest, TarInput>();
  const written: WrittenImage[] = [];
  for (const one of saved) {
    const { id, configBytes } = one.image;
    const original = await originalOf(room, one.image, held);
    const manifest = original ?? (await plainManifest(room, one.image, signal));
    const digest = digestOf(manifest.bytes);
    for (const layer of manifest.layers) blobs.set(layer.digest, layer.input);
    blobs.set(id, file(blobsFolder + hexOf(id), configBytes));
    blobs.set(digest, file(blobsFolder + hexOf(digest), manifest.bytes));
    written.push({ ...one, manifest, digest });
  }
  const indexes = await indexesOf(room, written);
  for (const index of indexes)
    for (const { bytes, digest } of [index, ...index.manifests, ...index.blobs])
      blobs.set(digest, file(blobsFolder + hexOf(digest), bytes));
  yield* writeTar([
    { entry: tarEntry('blobs/', { type: 'directory' }) },
    { entry: tarEntry(blobsFolder, { type: 'directory' }) },
    ...[...blobs.keys()].toSorted().map((digest) => blobs.get(digest) as TarInput),
    file('index.json', jsonBytes(indexOf(written, indexes))),
    file('manifest.json', jsonBytes(written.map(dockerManifest))),
    file('oci-layout', jsonBytes({ imageLayoutVersion: '1.0.0' })),
    file('repositories', jsonBytes(repositoriesOf(saved))),
  ]);
}

interface WrittenImage extends SavedImage {
  readonly manifest: SavedManifest;
  readonly digest: Digest;
}

interface WrittenIndex extends MadeIndex {
  readonly tag: Reference;
}

/**
 * The indexes of tags that stand for several images, or for one of which something is claimed: the one that the tag came
 * by, while what it names of the images is what is written, else a new one.
 */
async function indexesOf({ store }: Room, written: readonly WrittenImage[]): Promise<readonly WrittenIndex[]> {
  const indexes: WrittenIndex[] = [];
  for (const tag of written.flatMap(({ tags }) => tags)) {
    const theirs = written.filter(({ tags, shared }) => [...tags, ...shared].some((one) => isSame(one, tag)));
    const meaning = store.meaningOf(tag);
    const original = meaning?.index === undefined ? undefined : await store.indexOf(meaning.index);
    const isNamed = (one: WrittenImage): boolean =>
      original?.index.manifests.some((entry) => entry.digest === one.digest) === true;
    if (original !== undefined) {
      if (theirs.length > 1 && theirs.every(isNamed)) indexes.push({ ...original, tag, manifests: [], blobs: [] });
      continue;
    }
    const images: IndexedImage[] = [];
    for (const { image, manifest, digest, claims } of theirs) {
      const kept = meaning === undefined ? [] : await store.claimsOf(meaning, image.id);
      const attestations = claims?.get(fullReference(tag)) ?? kept;
      const { mediaType, bytes } = manifest;
      images.push({
        manifest: { mediaType, digest, size: bytes.length },
        platform: platformOf(image.config),
        attestations,
      });
    }
    const needsIndex = images.length > 1 || images.some(({ attestations }) => attestations.length > 0);
    if (needsIndex) indexes.push({ ...makeIndex(images, tag), tag });
  }
  return indexes;
}

function isSame(one: Reference, other: Reference): boolean {
  return fullReference(one) === fullReference(other);
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
  await room.notes.add([{ diffId, tarSizeBytes: sizeBytes }]);
  return sizeBytes;
}

/** Names in annotations as containerd, Docker and skopeo read them. */
function indexOf(written: readonly WrittenImage[], indexes: readonly WrittenIndex[]): object {
  const named = (descriptor: Descriptor, tag: Reference): Descriptor => ({
    ...descriptor,
    annotations: {
      'io.containerd.image.name': fullReference(tag),
      'org.opencontainers.image.ref.name': tag.tag ?? '',
    },
  });
  const ofIndexes = indexes.map(({ digest, mediaType, bytes, tag }) =>
    named({ mediaType, digest, size: bytes.length }, tag),
  );
  const ofImages = written.flatMap(({ image, tags, shared, manifest, digest }): readonly Descriptor[] => {
    const platform = platformOf(image.config);
    const descriptor = { mediaType: manifest.mediaType, digest, size: manifest.bytes.length, platform };
    const all = [...tags, ...shared.filter((tag) => !tags.includes(tag))];
    if (all.length === 0) return [descriptor];
    return all.filter((tag) => !indexes.some((one) => isSame(one.tag, tag))).map((tag) => named(descriptor, tag));
  });
  return { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [...ofIndexes, ...ofImages] };
}

function dockerManifest({ image, tags, manifest }: WrittenImage): object {
  const layers = manifest.layers.map(({ digest }) => blobsFolder + hexOf(digest));
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
