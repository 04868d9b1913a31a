import { mediaTypes, platformOf } from '#formats/oci.ts';
import type { Descriptor } from '#formats/oci.ts';
import { parseReference } from '#formats/reference.ts';
import type { Image, ImageManifest, ImageManifests } from './images.ts';
import type { Room } from './room.ts';
import { getImage, namesById } from './store/find-image.ts';
import type { StoredImage } from './store/image-record.ts';

/** What a name stands for; see `Images.manifests`. */
export async function describeManifests(
  room: Room,
  name: string,
  view: (image: StoredImage) => Image,
): Promise<ImageManifests> {
  const { store } = room;
  const first = getImage(store, name);
  const meaning = namesById(store, first, name) ? undefined : store.meaningOf(parseReference(name));
  const images = meaning?.images ?? [first];
  const here = await Promise.all(images.map((image) => describeImage(room, image, view(image))));
  const original = meaning?.index === undefined ? undefined : await store.indexOf(meaning.index);
  if (original === undefined) return { target: here[0]?.descriptor ?? configuration(first), entries: here };
  const { bytes, digest, mediaType, index } = original;
  const isHere = (entry: Descriptor): boolean => here.some(({ descriptor }) => descriptor.digest === entry.digest);
  const absent = index.manifests.filter((entry) => !isHere(entry));
  const others = absent.map(async (descriptor): Promise<ImageManifest> => {
    const record = meaning?.statements.find(({ manifest }) => manifest === descriptor.digest);
    const kept = record === undefined ? undefined : await store.statementOf(record);
    const parts = kept === undefined ? [] : [kept.bytes, ...kept.blobs];
    return { descriptor, image: undefined, contentBytes: parts.reduce((sum, part) => sum + part.length, 0) };
  });
  return {
    target: { mediaType, digest, size: bytes.length },
    entries: [...here, ...(await Promise.all(others))],
  };
}

async function describeImage(room: Room, stored: StoredImage, image: Image): Promise<ImageManifest> {
  const original = await room.store.originalOf(stored);
  const descriptor = configuration(stored);
  if (original === undefined) return { descriptor, image, contentBytes: descriptor.size };
  const { bytes, mediaType, manifest } = original;
  const kept = manifest.layers.filter(({ digest }) => room.blobs.has(digest));
  const keptBytes = kept.reduce((sum, { size }) => sum + size, 0);
  return {
    descriptor: { ...descriptor, mediaType, digest: stored.manifest ?? stored.id, size: bytes.length },
    image,
    contentBytes: bytes.length + descriptor.size + keptBytes,
  };
}

function configuration({ id, config, configBytes }: StoredImage): Descriptor {
  return { mediaType: mediaTypes.ociConfig, digest: id, size: configBytes.length, platform: platformOf(config) };
}
