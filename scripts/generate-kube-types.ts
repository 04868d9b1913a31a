/**
 * Writes the shapes of the API's objects as TypeScript types, one file per group and version, from the published OpenAPI v2
 * specification of Kubernetes: `node scripts/generate-kube-types.ts SPECIFICATION`. Types alone: nothing of them is loaded
 * when the program runs.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

interface Definition {
  readonly type?: string;
  readonly format?: string;
  readonly $ref?: string;
  readonly items?: Definition;
  readonly additionalProperties?: Definition;
  readonly properties?: Readonly<Record<string, Definition>>;
  readonly 'x-kubernetes-group-version-kind'?: readonly unknown[];
}

const [specificationPath] = process.argv.slice(2);
if (specificationPath === undefined) throw new Error('usage: node scripts/generate-kube-types.ts SPECIFICATION');
const definitions = (JSON.parse(readFileSync(specificationPath, 'utf8')) as { definitions: Record<string, Definition> })
  .definitions;
const folder = join(import.meta.dirname, '../src/kube/types/gen');

/** Definitions that are plain values in JSON. */
const plain: Readonly<Record<string, string>> = {
  Quantity: 'string',
  IntOrString: 'number | string',
  Time: 'string',
  MicroTime: 'string',
  FieldsV1: 'unknown',
  RawExtension: 'unknown',
  JSON: 'unknown',
  JSONSchemaPropsOrArray: 'unknown',
  JSONSchemaPropsOrBool: 'unknown',
  JSONSchemaPropsOrStringArray: 'unknown',
  CustomResourceSubresourceStatus: 'Record<string, never>',
};
/** Of the types of meta/v1 these stand in resource.ts, written by hand. */
const byHand: ReadonlySet<string> = new Set(['ObjectMeta', 'OwnerReference', 'ManagedFieldsEntry']);

interface Place {
  readonly file: string;
  readonly name: string;
}

function placeOf(definition: string): Place | undefined {
  const name = definition.split('.').at(-1) ?? '';
  const match = /\.(?:apis?)\.([a-z]+)\.(v[a-z0-9]+)\.[^.]+$/.exec(definition);
  if (match === null || name.endsWith('List') || !/^v\d+$/.test(match[2] ?? '')) return undefined;
  if (/^(WatchEvent|APIGroup|APIResource|APIVersions|ServerAddress|Status|StatusCause|StatusDetails)/.test(name))
    return undefined;
  return { file: `${match[1] ?? ''}-${match[2] ?? ''}`, name };
}

function textOf(value: Definition, from: string, imports: Map<string, Set<string>>): string {
  if (value.$ref !== undefined) {
    const target = value.$ref.slice('#/definitions/'.length);
    const name = target.split('.').at(-1) ?? '';
    const place = plain[name] === undefined && !byHand.has(name) ? placeOf(target) : undefined;
    if (plain[name] !== undefined) return plain[name];
    if (byHand.has(name)) note(imports, '../../resource.ts', name);
    else if (place === undefined) return 'unknown';
    else if (place.file !== from) note(imports, `./${place.file}.ts`, name);
    return name;
  }
  if (value.type === 'array') {
    const item = textOf(value.items ?? {}, from, imports);
    return item.includes(' ') ? `(${item})[]` : `${item}[]`;
  }
  if (value.additionalProperties !== undefined)
    return `Record<string, ${textOf(value.additionalProperties, from, imports)}>`;
  if (value.type === 'integer' || value.type === 'number') return 'number';
  if (value.type === 'string' || value.type === 'boolean') return value.type;
  return value.type === 'object' ? 'Record<string, unknown>' : 'unknown';
}

function note(imports: Map<string, Set<string>>, path: string, name: string): void {
  imports.set(path, (imports.get(path) ?? new Set()).add(name));
}

interface Generated {
  readonly imports: Map<string, Set<string>>;
  readonly texts: string[];
}

const files = new Map<string, Generated>();
for (const [id, definition] of Object.entries(definitions).toSorted(([a], [b]) => (a < b ? -1 : 1))) {
  const place = placeOf(id);
  if (place === undefined || plain[place.name] !== undefined || byHand.has(place.name)) continue;
  const file: Generated = files.get(place.file) ?? { imports: new Map(), texts: [] };
  files.set(place.file, file);
  const isObject = definition.properties?.['metadata']?.$ref?.endsWith('.ObjectMeta') === true;
  const isKind = isObject && definition['x-kubernetes-group-version-kind'] !== undefined;
  if (isKind) note(file.imports, '../../resource.ts', 'Resource');
  const rows = Object.entries(definition.properties ?? {})
    .filter(([name]) => !isKind || !['apiVersion', 'kind', 'metadata'].includes(name))
    .map(([name, value]) => {
      const key = /^[A-Za-z_]\w*$/.test(name) ? name : `'${name}'`;
      return `  ${key}?: ${textOf(value, place.file, file.imports)};\n`;
    });
  file.texts.push(`export interface ${place.name}${isKind ? ' extends Resource' : ''} {\n${rows.join('')}}\n`);
}

rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
for (const [name, { imports, texts }] of files) {
  const head =
    '// Written by scripts/generate-kube-types.ts from the OpenAPI specification of Kubernetes 1.34. Do not edit.\n';
  const lines = [...imports].map(
    ([path, names]) => `import type { ${[...names].toSorted().join(', ')} } from '${path}';\n`,
  );
  writeFileSync(join(folder, `${name}.ts`), `${head}${lines.toSorted().join('')}\n${texts.join('\n')}`);
}
