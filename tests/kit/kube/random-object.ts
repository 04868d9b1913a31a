import * as fc from 'fast-check';

import type { Schema, StructSchema } from '#kube/schema.ts';

/** Deeper than this everything is empty: types can hold themselves. */
const depthMost = 7;

/** Objects that fit a schema and nothing more: any field may be absent, and every value is odd. */
export function randomObject(schema: StructSchema): fc.Arbitrary<Record<string, unknown>> {
  return valueOf(schema, 0) as fc.Arbitrary<Record<string, unknown>>;
}

function valueOf(schema: Schema, depth: number): fc.Arbitrary<unknown> {
  switch (schema.type) {
    case 'struct': {
      if (depth > depthMost) return fc.constant({});
      const fields = [...schema.fields].map(([name, field]) => [name, lazily(field.schema, depth + 1)] as const);
      return fc.record(Object.fromEntries(fields), { requiredKeys: [] });
    }
    case 'map':
      return fc.dictionary(names, lazily(schema.values, depth + 1), { maxKeys: 2 });
    case 'list':
      return fc.array(lazily(schema.items, depth + 1), { maxLength: 2 });
    case 'any':
      return fc.jsonValue({ maxDepth: 1 });
    default:
      return schema.values.length > 0 ? fc.oneof(fc.constantFrom(...schema.values), names) : scalarOf(schema.scalar);
  }
}

/** Not made before it is needed: whole types are large. */
function lazily(schema: Schema, depth: number): fc.Arbitrary<unknown> {
  return fc.constant(null).chain(() => valueOf(schema, depth));
}

const names = fc.oneof(
  fc.constantFrom(
    '',
    'a',
    'b',
    'cpu',
    'memory',
    'hugepages-2Mi',
    'example.com/x',
    'Always',
    'TCP',
    'Nonsense',
    '10.0.0.1',
  ),
  fc.constantFrom('25%', '101%', '/', '/a/../b', '..', '::1', '10.0.0.0/8', '*.example.com', '*', 'kubernetes.io/tls'),
  fc.string({ maxLength: 6 }),
);
const whole = fc.oneof(fc.constantFrom(0, 1, -1, 2, 80, 65_536, 2 ** 31 - 1), fc.integer());

function scalarOf(scalar: Extract<Schema, { type: 'scalar' }>['scalar']): fc.Arbitrary<unknown> {
  switch (scalar) {
    case 'int32':
    case 'int64':
      return whole;
    case 'double':
      return fc.double({ noNaN: true, noDefaultInfinity: true });
    case 'boolean':
      return fc.boolean();
    case 'quantity':
      return fc.constantFrom('0', '1', '-1', '100m', '1Gi', '1n', '3e3', '9223372036854775807');
    case 'int-or-string':
      return fc.oneof(whole, names);
    case 'time':
      return fc.constantFrom('2026-01-01T00:00:00Z', '1970-01-01T00:00:00Z');
    case 'micro-time':
      return fc.constantFrom('2026-01-01T00:00:00.000001Z');
    case 'duration':
      return fc.constantFrom('15s', '1h0m0s');
    case 'bytes':
      return fc.constantFrom('', 'eA==', 'AAAA');
    default:
      return names;
  }
}
