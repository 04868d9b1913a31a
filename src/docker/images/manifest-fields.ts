import type { ImageManifest, ImageManifests } from '#engine/images/images.ts';
import type { Container } from '#engine/runtime/container.ts';
import { platformOf } from '#formats/oci.ts';
import type { Platform } from '#formats/oci.ts';

/** Annotations by which BuildKit marks the manifests that say something of others (BuildKit, attestation-storage.md). */
const kindAnnotation = 'vnd.docker.reference.type';
const subjectAnnotation = 'vnd.docker.reference.digest';

/** `Descriptor` and `Manifests` of images since API 1.48. */
export function manifestFields({ target, entries }: ImageManifests, containers: readonly Container[]): object {
  return { Descriptor: target, Manifests: entries.map((entry) => manifestSummary(entry, containers)) };
}

function manifestSummary({ descriptor, image, contentBytes }: ImageManifest, containers: readonly Container[]): object {
  const unpackedBytes = image?.sizeBytes ?? 0;
  const platform = image === undefined ? descriptor.platform : platformOf(image.config);
  const users = containers.filter(({ spec }) => image !== undefined && spec.imageId === image.id);
  const common = {
    ID: descriptor.digest,
    Descriptor: descriptor,
    Available: image !== undefined || contentBytes > 0,
    Size: { Content: contentBytes, Total: contentBytes + unpackedBytes },
  };
  const subject = descriptor.annotations?.[subjectAnnotation];
  if (descriptor.annotations?.[kindAnnotation] !== undefined && subject !== undefined) {
    return { ...common, Kind: 'attestation', AttestationData: { For: subject } };
  }
  if (platform === undefined || isUnknown(platform)) return { ...common, Kind: 'unknown' };
  const data = { Platform: platform, Containers: users.map(({ id }) => id), Size: { Unpacked: unpackedBytes } };
  return { ...common, Kind: 'image', ImageData: data };
}

function isUnknown({ os, architecture }: Platform): boolean {
  return os === 'unknown' || architecture === 'unknown' || os === '';
}
