import { isDigest } from '#formats/oci.ts';
import type { Digest } from '#formats/oci.ts';

import { RegistryError } from '../registry-error.ts';

/** OCI distribution specification, "Pulling manifests": the grammars of names and tags. */
const component = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const namePattern = new RegExp(`^${component}(?:/${component})*$`);
const tagPattern = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/;
const nameCharsMost = 255;

/** Throws RegistryError NAME_INVALID. */
export function parseName(text: string): string {
  if (text.length <= nameCharsMost && namePattern.test(text)) return text;
  throw new RegistryError('NAME_INVALID', 'the name of the repository is not valid');
}

/** Throws RegistryError DIGEST_INVALID. */
export function parseDigest(text: string): Digest {
  if (isDigest(text)) return text;
  throw new RegistryError(
    'DIGEST_INVALID',
    'want sha256: and 64 hexadecimal digits; other algorithms are not supported',
  );
}

/** A tag or a digest. Throws RegistryError. */
export function parseTagOrDigest(text: string): string {
  if (text.includes(':')) return parseDigest(text);
  if (tagPattern.test(text)) return text;
  throw new RegistryError('MANIFEST_INVALID', 'the tag is not valid');
}
