import { createHash } from 'node:crypto';

import type { Digest } from '#formats/oci.ts';

/** The ChainIDs of the layers from the lowest to the topmost (OCI image specification, config.md, "Layer ChainID"). */
export function chainOf(diffIds: readonly Digest[]): readonly Digest[] {
  const chain: Digest[] = [];
  for (const diffId of diffIds) {
    const below = chain.at(-1);
    chain.push(below === undefined ? diffId : digestOf(`${below} ${diffId}`));
  }
  return chain;
}

export function digestOf(bytes: Uint8Array | string): Digest {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}
