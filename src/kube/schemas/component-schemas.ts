import type { Field, Schema, ScalarSchema, StructSchema } from '../schema.ts';
import { fieldDescription } from './field-descriptions.ts';

/** JSON of a document, written once and then only read. */
export type Json = Readonly<Record<string, unknown>>;

const definitions: Readonly<Record<string, string>> = {
  'meta/': 'io.k8s.apimachinery.pkg.apis.meta.',
  'apiextensions/': 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.',
  'apiregistration/': 'io.k8s.kube-aggregator.pkg.apis.apiregistration.',
  'metrics/': 'io.k8s.metrics.pkg.apis.metrics.',
};

/** Name of a built-in type in OpenAPI: `core/v1.PodSpec` is `io.k8s.api.core.v1.PodSpec`. */
function componentName(key: string): string {
  const [owner = '', rest = ''] = key.split(/(?<=\/)/);
  return (definitions[owner] ?? `io.k8s.api.${owner.slice(0, -1)}.`) + rest;
}

export function reference(component: string): Json {
  return { $ref: `#/components/schemas/${component}` };
}

/** Built-in types as schemas of OpenAPI v3, each once, with all that they lead to. */
export class ComponentSchemas {
  readonly #schemas = new Map<string, Json>();

  /** All that were asked for, by name, in order of names. */
  all(): Json {
    return Object.fromEntries([...this.#schemas].toSorted(([one], [other]) => (one < other ? -1 : 1)));
  }

  set(name: string, schema: Json): void {
    this.#schemas.set(name, schema);
  }

  /** A reference to a built-in type; `kinds`: the kinds it is, for x-kubernetes-group-version-kind. */
  builtin(schema: StructSchema, kinds: readonly Json[] = []): Json {
    const name = componentName(schema.key ?? schema.name);
    const before = this.#schemas.get(name);
    if (before === undefined) {
      // Its place is taken first: types may hold themselves.
      this.#schemas.set(name, {});
      this.#schemas.set(name, this.#struct(schema));
    }
    const made = this.#schemas.get(name);
    if (kinds.length > 0 && made?.['x-kubernetes-group-version-kind'] === undefined)
      this.#schemas.set(name, { ...made, 'x-kubernetes-group-version-kind': kinds });
    return reference(name);
  }

  #struct(schema: StructSchema): Json {
    const isKind = schema.fields.has('apiVersion') && schema.fields.has('kind') && schema.fields.has('metadata');
    const properties = [...schema.fields].map(([name, field]) => {
      const description = fieldDescription(schema.key ?? '', isKind, name);
      return [name, this.#property(field, description)] as const;
    });
    const required = [...schema.fields].filter(([, field]) => field.isRequired).map(([name]) => name);
    return {
      type: 'object',
      ...(properties.length === 0 ? {} : { properties: Object.fromEntries(properties) }),
      ...(required.length === 0 ? {} : { required }),
      ...(schema.isAtomic ? { 'x-kubernetes-map-type': 'atomic' } : {}),
    };
  }

  #property({ schema, patch, defaultValue }: Field, description: string | undefined): Json {
    const strategies = [patch?.merges === true ? 'merge' : '', patch?.retainsKeys === true ? 'retainKeys' : ''];
    const strategy = strategies.filter((one) => one !== '').join(',');
    const extensions: Json = {
      ...(description === undefined ? {} : { description }),
      ...(defaultValue === undefined ? {} : { default: defaultValue }),
      ...(patch?.mergeKey === undefined ? {} : { 'x-kubernetes-patch-merge-key': patch.mergeKey }),
      ...(strategy === '' ? {} : { 'x-kubernetes-patch-strategy': strategy }),
      ...listExtensions(schema),
    };
    const json = this.#schema(schema);
    // What stands beside $ref does not count in OpenAPI 3.0.
    return '$ref' in json && Object.keys(extensions).length > 0
      ? { allOf: [json], ...extensions }
      : { ...json, ...extensions };
  }

  #schema(schema: Schema): Json {
    switch (schema.type) {
      case 'struct':
        return this.builtin(schema);
      case 'list':
        return { type: 'array', items: this.#schema(schema.items) };
      case 'map':
        return { type: 'object', additionalProperties: this.#schema(schema.values) };
      case 'scalar':
        return this.#scalar(schema);
      default:
        return schema.goType === 'RawExtension' || schema.goType === 'FieldsV1' ? { type: 'object' } : {};
    }
  }

  #scalar({ scalar }: ScalarSchema): Json {
    const shared = sharedScalars[scalar];
    if (shared === undefined) return plainScalars[scalar] ?? { type: 'string' };
    this.#schemas.set(shared.name, shared.schema);
    return reference(shared.name);
  }
}

function listExtensions(schema: Schema): Json {
  if (schema.type === 'map') return schema.isAtomic ? { 'x-kubernetes-map-type': 'atomic' } : {};
  if (schema.type !== 'list') return {};
  return {
    'x-kubernetes-list-type': schema.kind,
    ...(schema.keys.length === 0 ? {} : { 'x-kubernetes-list-map-keys': schema.keys }),
  };
}

const plainScalars: Readonly<Record<string, Json>> = {
  string: { type: 'string' },
  boolean: { type: 'boolean' },
  int32: { type: 'integer', format: 'int32' },
  int64: { type: 'integer', format: 'int64' },
  double: { type: 'number', format: 'double' },
  bytes: { type: 'string', format: 'byte' },
};

const sharedScalars: Readonly<Record<string, { readonly name: string; readonly schema: Json }>> = {
  quantity: {
    name: 'io.k8s.apimachinery.pkg.api.resource.Quantity',
    schema: { oneOf: [{ type: 'string' }, { type: 'number' }] },
  },
  'int-or-string': {
    name: 'io.k8s.apimachinery.pkg.util.intstr.IntOrString',
    schema: { oneOf: [{ type: 'integer' }, { type: 'string' }], format: 'int-or-string' },
  },
  time: {
    name: 'io.k8s.apimachinery.pkg.apis.meta.v1.Time',
    schema: { type: 'string', format: 'date-time' },
  },
  'micro-time': {
    name: 'io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime',
    schema: { type: 'string', format: 'date-time' },
  },
  duration: { name: 'io.k8s.apimachinery.pkg.apis.meta.v1.Duration', schema: { type: 'string' } },
};
