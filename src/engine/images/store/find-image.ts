import { StatusError } from '#base/errors.ts';
import { formatPlatform } from '#formats/oci-json.ts';
import type { Platform } from '#formats/oci.ts';
import { familiarReference, parseReference, withDefaultTag } from '#formats/reference.ts';
import type { Reference } from '#formats/reference.ts';
import { findPlatform } from '../transfer/choose-platform.ts';
import type { StoredImage } from './image-record.ts';
import type { ImageStore } from './image-store.ts';

const wholeId = /^(?:sha256:)?([0-9a-f]{64})$/;
const idPrefix = /^(?:sha256:)?([0-9a-f]{1,64})$/;

/**
 * The images that a name means, that without a platform first; in Docker's order a whole ID, a tag or digest, a unique
 * prefix of an ID. None for names that mean none, several, or that are no references at all.
 */
export function findImages(store: ImageStore, name: string): readonly StoredImage[] {
  const whole = wholeId.exec(name)?.[1];
  if (whole !== undefined) return oneOrNone(store.get(`sha256:${whole}`));
  const reference = referenceOf(name);
  const meaning = reference === undefined ? undefined : store.meaningOf(reference);
  if (meaning !== undefined) return meaning.images;
  const prefix = idPrefix.exec(name)?.[1];
  if (prefix === undefined) return [];
  const matches = store.list().filter(({ id }) => id.startsWith(`sha256:${prefix}`));
  return matches.length === 1 ? matches : [];
}

/** The one of them for a platform, or when none is said. */
export function findImage(store: ImageStore, name: string, platform?: Platform): StoredImage | undefined {
  const images = findImages(store, name);
  return platform === undefined ? images[0] : findPlatform(images, platform);
}

/** The same, or throws: NotFound `No such image: <name>`, InvalidArgument when it cannot be a name. */
export function getImage(store: ImageStore, name: string, platform?: Platform): StoredImage {
  const images = findImages(store, name);
  const image = platform === undefined ? images[0] : findPlatform(images, platform);
  if (image !== undefined) return image;
  if (images[0] !== undefined && platform !== undefined) throw otherPlatform(name, images[0].config, platform);
  const shown =
    idPrefix.test(name) && name.includes('sha256:') ? name : wholeId.test(name) ? `sha256:${name}` : undefined;
  throw noSuchImage(shown ?? familiarReference(withDefaultTag(parseReference(name))));
}

function otherPlatform(name: string, has: Platform, wanted: Platform): StatusError {
  const [there, want] = [formatPlatform({ os: has.os, architecture: has.architecture }), formatPlatform(wanted)];
  return new StatusError(
    'NotFound',
    `image with reference ${name} was found but its platform (${there}) does not match the specified platform (${want})`,
  );
}

function oneOrNone(image: StoredImage | undefined): readonly StoredImage[] {
  return image === undefined ? [] : [image];
}

function noSuchImage(name: string): StatusError {
  return new StatusError('NotFound', `No such image: ${name}`);
}

/** Whether `name` was written as this image's ID or a prefix of it, rather than as one of its names. */
export function namesById(store: ImageStore, image: StoredImage, name: string): boolean {
  const prefix = idPrefix.exec(name)?.[1];
  if (prefix === undefined || !image.id.startsWith(`sha256:${prefix}`)) return false;
  const reference = referenceOf(name);
  return reference === undefined || store.named(reference) === undefined;
}

function referenceOf(name: string): Reference | undefined {
  try {
    return parseReference(name);
  } catch {
    return undefined;
  }
}
