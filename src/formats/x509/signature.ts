import { bytesOfBits, damaged, objectIdOf, partsOf, readDer, writeBits, writeObjectId, writeSequence } from './der.ts';

/** Ways of signing that are known here, by the names of node:crypto's hashes. */
const algorithms: Readonly<Record<string, { readonly hash: string | undefined }>> = {
  '1.2.840.10045.4.3.2': { hash: 'sha256' },
  '1.2.840.10045.4.3.3': { hash: 'sha384' },
  '1.2.840.10045.4.3.4': { hash: 'sha512' },
  '1.2.840.113549.1.1.11': { hash: 'sha256' },
  '1.2.840.113549.1.1.12': { hash: 'sha384' },
  '1.2.840.113549.1.1.13': { hash: 'sha512' },
  // Ed25519 has its hash inside (RFC 8410).
  '1.3.101.112': { hash: undefined },
};

/** ecdsa-with-SHA256 (RFC 5758 3.2), with which everything of ours is signed. */
export function ecdsaWithSha256(): Uint8Array {
  return writeSequence(writeObjectId('1.2.840.10045.4.3.2'));
}

/** What was signed, how, and the signature: the shape of certificates and requests alike. */
export interface Signed {
  readonly body: Uint8Array;
  /** Name of the hash for node:crypto; undefined: the algorithm has its own. */
  readonly hash: string | undefined;
  readonly signature: Uint8Array;
}

/** A body with its ECDSA signature (in DER, as node:crypto gives it). */
export function writeSigned(body: Uint8Array, signature: Uint8Array): Uint8Array {
  return writeSequence(body, ecdsaWithSha256(), writeBits(signature));
}

/** Throws Damaged, also for a signature of a kind that is not known. */
export function readSigned(bytes: Uint8Array): Signed {
  const [body, algorithm, signature] = partsOf(readDer(bytes));
  if (body === undefined || algorithm === undefined || signature === undefined)
    throw damaged('no body, algorithm and signature');
  const [id] = partsOf(algorithm);
  const known = id === undefined ? undefined : algorithms[objectIdOf(id)];
  if (known === undefined)
    throw damaged('it is signed in a way that is not known here (ECDSA, RSA, Ed25519 with SHA-2)');
  return { body: body.whole, hash: known.hash, signature: bytesOfBits(signature) };
}
