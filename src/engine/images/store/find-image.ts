import { StatusError } from '#base/errors.ts';
import { familiarReference, parseReference, withDefaultTag } from '#formats/reference.ts';
import type { Reference } from '#formats/reference.ts';
import type { StoredImage } from './image-record.ts';
import type { ImageStore } from './image-store.ts';

const wholeId = /^(?:sha256:)?([0-9a-f]{64})$/;
const idPrefix = /^(?:sha256:)?([0-9a-f]{1,64})$/;

/**
 * The image that a name means, in Docker's order: a whole ID, a tag or digest, a unique prefix of an ID. Undefined for
 * names that mean none, several, or that are no references at all.
 */
export function findImage(store: ImageStore, name: string): StoredImage | undefined {
  const whole = wholeId.exec(name)?.[1];
  if (whole !== undefined) return store.get(`sha256:${whole}`);
  const reference = referenceOf(name);
  const named = reference === undefined ? undefined : store.named(reference);
  if (named !== undefined) return named;
  const prefix = idPrefix.exec(name)?.[1];
  if (prefix === undefined) return undefined;
  const matches = store.list().filter(({ id }) => id.startsWith(`sha256:${prefix}`));
  return matches.length === 1 ? matches[0] : undefined;
}

/** The same, or throws: NotFound `No such image: <name>`, InvalidArgument when it cannot be a name. */
export function getImage(store: ImageStore, name: string): StoredImage {
  const image = findImage(store, name);
  if (image !== undefined) return image;
  const shown =
    idPrefix.test(name) && name.includes('sha256:') ? name : wholeId.test(name) ? `sha256:${name}` : undefined;
  throw noSuchImage(shown ?? familiarReference(withDefaultTag(parseReference(name))));
}

export function noSuchImage(name: string): StatusError {
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
