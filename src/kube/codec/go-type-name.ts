import type { Schema } from '../schema.ts';

const scalarNames = {
  string: 'string',
  int32: 'int32',
  int64: 'int64',
  double: 'float64',
  boolean: 'bool',
  bytes: '[]uint8',
  quantity: 'resource.Quantity',
  'int-or-string': 'intstr.IntOrString',
  time: 'v1.Time',
  'micro-time': 'v1.MicroTime',
  duration: 'v1.Duration',
} as const;

/** How Go names the type of a value in errors: `v1.Protocol`, `[]v1.Container`, `map[string]string`. */
export function goTypeName(schema: Schema): string {
  switch (schema.type) {
    case 'struct':
      return schema.name;
    case 'scalar':
      return schema.goName ?? scalarNames[schema.scalar];
    case 'list':
      return schema.goName ?? `[]${goTypeName(schema.items)}`;
    case 'map':
      return schema.goName ?? `map[string]${goTypeName(schema.values)}`;
    default:
      return schema.goType === undefined ? 'interface {}' : `runtime.${schema.goType}`;
  }
}
