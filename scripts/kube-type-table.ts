import type { GoField, GoType, GoTypes } from './go-types.ts';

/** What is used of the published specification (Swagger 2). */
export interface Specification {
  readonly definitions: Readonly<Record<string, Definition>>;
  readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

interface Definition {
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Property>>;
  readonly 'x-kubernetes-map-type'?: string;
}

interface Property {
  readonly 'x-kubernetes-map-type'?: string;
  readonly 'x-kubernetes-list-type'?: string;
  readonly 'x-kubernetes-list-map-keys'?: readonly string[];
}

/** Packages by their short name: in Go, and in the specification. Only what a server offers unless told otherwise. */
export const packages: Readonly<Record<string, { readonly go: string; readonly definitions: string }>> = {
  ...Object.fromEntries(
    [
      'core/v1 apps/v1 batch/v1 autoscaling/v1 autoscaling/v2 policy/v1 networking/v1 discovery/v1 events/v1 rbac/v1',
      'storage/v1 scheduling/v1 coordination/v1 node/v1 certificates/v1 admissionregistration/v1 authentication/v1',
      'authorization/v1 flowcontrol/v1 resource/v1 admission/v1',
    ]
      .flatMap((line) => line.split(' '))
      .map((name) => [name, { go: `k8s.io/api/${name}`, definitions: `io.k8s.api.${name.replace('/', '.')}` }]),
  ),
  'meta/v1': { go: 'k8s.io/apimachinery/pkg/apis/meta/v1', definitions: 'io.k8s.apimachinery.pkg.apis.meta.v1' },
  'metrics/v1beta1': { go: 'k8s.io/metrics/pkg/apis/metrics/v1beta1', definitions: '' },
  'apiextensions/v1': {
    go: 'k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1',
    definitions: 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1',
  },
};
const shortNames = new Map(Object.entries(packages).map(([name, { go }]) => [go, name]));

/** Types with JSON of their own, by Go's package and name, and the letter that they have in the table. */
const special: Readonly<Record<string, string>> = {
  'k8s.io/apimachinery/pkg/api/resource.Quantity': 'q',
  'k8s.io/apimachinery/pkg/util/intstr.IntOrString': 'o',
  'k8s.io/apimachinery/pkg/apis/meta/v1.Time': 't',
  'k8s.io/apimachinery/pkg/apis/meta/v1.MicroTime': 'u',
  'k8s.io/apimachinery/pkg/apis/meta/v1.Duration': 'D',
  'k8s.io/apimachinery/pkg/apis/meta/v1.FieldsV1': 'aF',
  'k8s.io/apimachinery/pkg/runtime.RawExtension': 'aR',
  'k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1.JSON': 'aJ',
  'k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1.JSONSchemaPropsOrArray': 'aA',
  'k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1.JSONSchemaPropsOrBool': 'aB',
  'k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1.JSONSchemaPropsOrStringArray': 'aS',
};

/** Defaults that the specification as published has only in its newer form, by type and field. */
const defaults: Readonly<Record<string, string>> = {
  'core/v1.ContainerPort.protocol': '"TCP"',
  'core/v1.ServicePort.protocol': '"TCP"',
};

/** One line per type that the roots lead to; `src/kube/schemas/type-table.ts` says how lines are read. */
export function typeTable(types: GoTypes, spec: Specification, roots: readonly string[]): readonly string[] {
  const lines = new Map<string, string>();
  const waiting = [...roots];
  for (let key = waiting.pop(); key !== undefined; key = waiting.pop()) {
    if (lines.has(key)) continue;
    const [name = '', type = ''] = split(key);
    const goType = types.struct(packages[name]?.go ?? '', type);
    if (goType === undefined) throw new Error(`no type ${key}`);
    const definition = spec.definitions[`${packages[name]?.definitions ?? ''}.${type}`];
    const fields = fieldsOf(goType, '').map(({ field, path }) => {
      const text = fieldText(key, field, path, definition);
      for (const [, reference = ''] of text.matchAll(/([a-z]+\/v[0-9a-z]+\.[A-Z]\w+)(?= )/g)) waiting.push(reference);
      return text.replaceAll(`${name}.`, '.');
    });
    const atomic = definition?.['x-kubernetes-map-type'] === 'atomic' ? '!' : '';
    lines.set(key, `${key}|${atomic}|${fields.join('|')}`);
  }
  return [...lines.values()].toSorted();
}

function split(key: string): readonly string[] {
  return [key.slice(0, key.lastIndexOf('.')), key.slice(key.lastIndexOf('.') + 1)];
}

/** Fields as JSON has them: those of inlined structs among the others, with their protobuf numbers from outside in. */
function fieldsOf(type: GoType, path: string): { field: GoField; path: string }[] {
  return type.fields.flatMap((field) => {
    const number = /protobuf:"\w+,(\d+),/.exec(field.tag)?.[1] ?? '';
    const json = jsonName(field);
    if (json === '-') return [];
    const inner = field.type.kind === 'pointer' ? field.type.element : field.type;
    if (field.isEmbedded && json === '' && inner !== undefined)
      // TypeMeta has no number: protobuf carries kind and apiVersion around the object.
      return fieldsOf(inner, `${path}${number}.`).map((one) => (number === '' ? { ...one, path: '' } : one));
    return [{ field, path: path + number }];
  });
}

function jsonName(field: GoField): string {
  return /json:"([^",]*)/.exec(field.tag)?.[1] ?? '';
}

function fieldText(owner: string, field: GoField, path: string, definition: Definition | undefined): string {
  const name = jsonName(field);
  const property = definition?.properties?.[name];
  const isPointer = field.type.kind === 'pointer';
  const omits = /json:"[^"]*,omitempty/.test(field.tag);
  const isRequired = definition?.properties === undefined ? !omits && !isPointer : definition.required?.includes(name);
  const strategy = /patchStrategy:"([^"]*)"/.exec(field.tag)?.[1];
  const mergeKey = /patchMergeKey:"([^"]*)"/.exec(field.tag)?.[1] ?? '';
  const isWrapped = /protobuf:"bytes,\d+,opt/.test(field.tag);
  const flags = [
    isRequired === true ? 'r' : '',
    isPointer ? 'p' : '',
    omits ? 'o' : '',
    /,omitzero/.test(field.tag) ? 'z' : '',
  ].join('');
  const patch =
    strategy === undefined ? '' : ` P${strategy.replace('retainKeys', 'k').replace('merge', 'm')}=${mergeKey}`;
  const fallback = defaults[`${owner}.${name}`];
  return (
    [name, typeText(field.type, property, isWrapped), path, flags].join(' ') +
    patch +
    (fallback === undefined ? '' : ` D${fallback}`)
  );
}

function typeText(type: GoType, property: Property | undefined, isWrapped: boolean): string {
  const key = `${type.packagePath}.${type.text.replace(/^.*\./, '')}`;
  const known = special[key];
  if (known !== undefined) return known;
  const named = type.packagePath === '' ? '' : `=${type.text}`;
  switch (type.kind) {
    case 'string':
      return `s${named}`;
    case 'bool':
      return `b${named}`;
    case 'int':
      return (type.bits === 32 ? 'i' : 'l') + named;
    case 'float':
      return `d${named}`;
    case 'pointer':
      return typeText(only(type), property, isWrapped);
    case 'slice':
      return sliceText(type, property, isWrapped, named);
    case 'map':
      return `{${property?.['x-kubernetes-map-type'] === 'atomic' ? 'a' : ''}${named}}${typeText(only(type), undefined, true)}`;
    case 'struct': {
      const short = shortNames.get(type.packagePath);
      if (short === undefined) throw new Error(`package ${type.packagePath} is not in the table`);
      const granular = property?.['x-kubernetes-map-type'] === 'granular' ? '~' : '';
      return `${granular}${short}.${type.text.replace(/^.*\./, '')}`;
    }
    default:
      throw new Error(`a field has type ${type.text}`);
  }
}

function sliceText(type: GoType, property: Property | undefined, isWrapped: boolean, named: string): string {
  const element = only(type);
  if (element.kind === 'other' && element.text === 'uint8') return `y${named}`;
  const kind = { map: 'm', set: 's' }[property?.['x-kubernetes-list-type'] ?? ''] ?? 'a';
  const keys = kind === 'm' ? `:${(property?.['x-kubernetes-list-map-keys'] ?? []).join(',')}` : '';
  return `[${isWrapped && named !== '' ? 'W' : ''}${kind}${keys}${named}]${typeText(element, undefined, true)}`;
}

function only(type: GoType): GoType {
  if (type.element === undefined) throw new Error(`${type.text} has no element`);
  return type.element;
}
