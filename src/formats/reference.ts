import type { Digest } from './oci.ts';

/** A parsed image reference, in its normalised form (distribution/reference). */
export interface Reference {
  /** `docker.io` when the text names none. */
  readonly domain: string;
  /** `library/debian`. */
  readonly path: string;
  readonly tag: string | undefined;
  readonly digest: Digest | undefined;
}
