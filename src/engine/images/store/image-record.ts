import { isObject } from '#base/json.ts';
import { isDigest } from '#formats/oci.ts';
import type { Digest, ImageConfig } from '#formats/oci.ts';
import { fullReference, parseReference } from '#formats/reference.ts';
import type { Reference } from '#formats/reference.ts';

/** An image without its names. */
export interface StoredImage {
  readonly id: Digest;
  readonly config: ImageConfig;
  readonly configBytes: Uint8Array;
  readonly parent: Digest | undefined;
  /** Digest of the manifest that it came with from a registry or an archive. */
  readonly manifest: Digest | undefined;
  /** ChainIDs from the lowest layer to the topmost. */
  readonly chain: readonly Digest[];
}

/** On disk: `images/<hex of the ID>.json`; the configuration and the manifest are files of `blobs/`. */
export interface ImageRecord {
  readonly parent?: Digest;
  readonly manifest?: Digest;
}

/** On disk: `names/<hex of the SHA-256 of the name>.json`. */
export interface NameRecord {
  /** In full: `docker.io/library/debian:12`, or with `@sha256:...` the digest of a manifest. */
  readonly name: string;
  /** What the name means when no platform is said. */
  readonly image: Digest;
  /** The images of other platforms that the same index gave. */
  readonly others?: readonly Digest[];
  /** Digest of that index; its bytes are a file of `blobs/`. */
  readonly index?: Digest;
  /** What is claimed of its images, which goes with them to registries and archives. */
  readonly attestations?: readonly AttestationRecord[];
  /** What that index says of its images, as it came. */
  readonly statements?: readonly StatementRecord[];
  /** Nanoseconds since the epoch, decimal. */
  readonly taggedNs: string;
}

export interface AttestationRecord {
  readonly image: Digest;
  readonly predicateType: string;
  /** Digest of the predicate, JSON; its bytes are a file of `blobs/`. */
  readonly predicate: Digest;
}

/** A manifest of an index that is no image but says something of one, with what it names; all are files of `blobs/`. */
export interface StatementRecord {
  readonly manifest: Digest;
  /** Its configuration and its documents. */
  readonly blobs: readonly Digest[];
}

export function isImageRecord(value: unknown): value is ImageRecord {
  return isObject(value) && isDigestOrNone(value['parent']) && isDigestOrNone(value['manifest']);
}

export function isNameRecord(value: unknown): value is NameRecord {
  if (!isObject(value)) return false;
  const { name, image, others = [], index, attestations = [], statements = [], taggedNs } = value;
  if (!Array.isArray(statements) || !statements.every(isStatement)) return false;
  if (!Array.isArray(attestations) || !attestations.every(isAttestation)) return false;
  if (!Array.isArray(others) || !others.every((one) => typeof one === 'string' && isDigest(one))) return false;
  if (!isDigestOrNone(index)) return false;
  if (typeof image !== 'string' || !isDigest(image)) return false;
  if (typeof taggedNs !== 'string' || !/^[0-9]{1,20}$/.test(taggedNs)) return false;
  return typeof name === 'string' && isFullReference(name);
}

function isFullReference(name: string): boolean {
  let reference: Reference;
  try {
    reference = parseReference(name);
  } catch {
    return false;
  }
  return fullReference(reference) === name && (reference.tag === undefined) !== (reference.digest === undefined);
}

function isAttestation(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { image, predicateType, predicate } = value;
  return (
    [image, predicate].every((one) => typeof one === 'string' && isDigest(one)) && typeof predicateType === 'string'
  );
}

function isStatement(value: unknown): boolean {
  if (!isObject(value) || !Array.isArray(value['blobs'])) return false;
  return [value['manifest'], ...value['blobs']].every((one) => typeof one === 'string' && isDigest(one));
}

function isDigestOrNone(value: unknown): boolean {
  return value === undefined || (typeof value === 'string' && isDigest(value));
}
