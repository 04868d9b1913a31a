/** What a writer does to its key: it puts values with rising counts, and sometimes removes the one it has put. */
export interface Step {
  readonly do: 'put' | 'remove';
  readonly count: number;
}

/** Puts after which comes a removal: one in so many. */
const putsPerRemoval = 5;

export function nextStep({ do: done, count }: Step): Step {
  if (done === 'put' && count % putsPerRemoval === 0) return { do: 'remove', count };
  return { do: 'put', count: count + 1 };
}

export function keyOf(writer: number): string {
  // One key in eight is written without waiting for the disk.
  return writer % 8 === 7 ? `/registry/leases/kube-node-lease/${String(writer)}` : `/registry/pods/${String(writer)}`;
}

/** Of up to some pages, and wrong when any part of it is of another step. */
export function valueOf(writer: number, count: number): Uint8Array {
  const word = `${String(writer)}:${String(count)} `;
  return new TextEncoder().encode(word.repeat(1 + ((count * 37) % 1000)));
}
