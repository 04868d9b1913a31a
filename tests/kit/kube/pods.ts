import type { Fields } from './faults-of.ts';

/** A pod of one container unless the spec has others. */
export function podOf(spec: Fields, metadata: Fields = {}): Fields {
  return { metadata, spec: { containers: [containerOf({})], ...spec } };
}

export function containerOf(fields: Fields): Fields {
  return { name: 'a', image: 'i', ...fields };
}

/** A pod whose container is like this. */
export function inContainer(fields: Fields, spec: Fields = {}): Fields {
  return podOf({ containers: [containerOf(fields)], ...spec });
}
