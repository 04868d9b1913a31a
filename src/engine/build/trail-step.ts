import type { Digest } from '#formats/oci.ts';

/** A step that a build needed, made now or taken from a cache. */
export interface TrailStep {
  readonly key: string;
  /** The layer on top after it; undefined: it changed no file. */
  readonly chainId: Digest | undefined;
  readonly createdAtMs: number;
  readonly description: string;
}
