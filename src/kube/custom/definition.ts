import type { FieldError } from '../field-error.ts';
import type {
  CustomResourceDefinition,
  CustomResourceDefinitionSpec,
  CustomResourceDefinitionVersion,
} from '../types/gen/apiextensions-v1.ts';
import { duplicate, forbidden, invalid, invalids, notSupported, required } from '../validation/faults.ts';
import { dns1035Faults, subdomainFaults } from '../validation/names.ts';
import { immutable } from '../validation/object-meta.ts';
import { webhookClientFaults } from '../validation/webhook-client.ts';
import { reviewVersions } from './conversion-review.ts';
import { parseJsonPath } from './json-path.ts';
import { prune } from './prune.ts';
import type { JsonSchema } from './json-schema.ts';
import { hasRules, loadRules } from './load-rules.ts';
import { structuralFaults } from './structural-check.ts';
import { validateValue } from './validate-value.ts';

type Faults = Iterable<FieldError>;

/** Fills what upstream fills of a definition (apiextensions, v1/defaults.go). */
export function setDefinitionDefaults(definition: CustomResourceDefinition): void {
  const { spec } = definition;
  if (spec === undefined) return;
  spec.names ??= {};
  const { kind = '' } = spec.names;
  spec.names.singular ??= kind.toLowerCase();
  if (kind !== '') spec.names.listKind ??= `${kind}List`;
  spec.conversion ??= { strategy: 'None' };
  const service = spec.conversion.webhook?.clientConfig?.service;
  if (service !== undefined) service.port ??= 443;
}

/** What is wrong with a definition, in upstream's words (apiextensions, validation/validation.go). */
export function* definitionFaults(
  definition: CustomResourceDefinition,
  old: CustomResourceDefinition | undefined,
): Faults {
  const { spec } = definition;
  if (spec === undefined) {
    yield required('spec');
    return;
  }
  const { group = '', names = {}, scope = '' } = spec;
  const { name = '' } = definition.metadata;
  if (name !== `${names.plural ?? ''}.${group}`)
    yield invalid('metadata.name', name, 'must be spec.names.plural+"."+spec.group');
  if (group === '') yield required('spec.group');
  else {
    yield* invalids('spec.group', group, subdomainFaults(group));
    if (!group.includes('.')) yield invalid('spec.group', group, 'should be a domain with at least one dot');
  }
  if (scope === '') yield required('spec.scope');
  else if (scope !== 'Cluster' && scope !== 'Namespaced')
    yield notSupported('spec.scope', scope, ['Cluster', 'Namespaced']);
  yield* nameFaults(spec);
  yield* versionsFaults(spec);
  yield* conversionFaults(spec);
  if (old?.spec === undefined) return;
  yield* immutable('spec.group', group, old.spec.group);
  yield* immutable('spec.names.plural', names.plural, old.spec.names?.plural);
  yield* immutable('spec.scope', scope, old.spec.scope);
  yield* immutable('spec.names.kind', names.kind, old.spec.names?.kind);
  yield* storedFaults(definition);
}

function* nameFaults({ names = {} }: CustomResourceDefinitionSpec): Faults {
  for (const field of ['plural', 'singular', 'kind', 'listKind'] as const) {
    const value = names[field] ?? '';
    if (value === '') yield required(`spec.names.${field}`);
    else yield* invalids(`spec.names.${field}`, value, dns1035Faults(value.toLowerCase()));
  }
  for (const field of ['shortNames', 'categories'] as const)
    for (const [index, value] of (names[field] ?? []).entries())
      yield* invalids(`spec.names.${field}[${String(index)}]`, value, dns1035Faults(value));
  if (names.kind !== undefined && names.kind === names.listKind)
    yield invalid('spec.names.listKind', names.listKind, 'kind and listKind may not be the same');
}

function* versionsFaults({ versions = [] }: CustomResourceDefinitionSpec): Faults {
  if (versions.length === 0) yield required('spec.versions', 'must have at least one version');
  const names = versions.map(({ name }) => name ?? '');
  const stored = versions.filter(({ storage }) => storage === true).length;
  if (versions.length > 0 && stored !== 1)
    yield invalid('spec.versions', versions, 'must have exactly one version marked as storage version');
  for (const [index, version] of versions.entries()) {
    const path = `spec.versions[${String(index)}]`;
    const name = names[index] ?? '';
    yield* invalids(`${path}.name`, name, dns1035Faults(name));
    if (names.indexOf(name) < index) yield duplicate(`${path}.name`, name);
    yield* versionFaults(version, path);
  }
}

function* versionFaults(version: CustomResourceDefinitionVersion, path: string): Faults {
  const schema = version.schema?.openAPIV3Schema as JsonSchema | undefined;
  const at = `${path}.schema.openAPIV3Schema`;
  if (schema === undefined) yield required(at, 'schemas are required');
  else {
    const faults = [...structuralFaults(schema, at), ...defaultFaults(schema, at)];
    yield* faults;
    if (faults.length === 0 && hasRules(schema))
      yield* new (loadRules().ValidationRules)().definitionFaults(schema, at);
  }
  if (version.deprecationWarning !== undefined && version.deprecated !== true)
    yield invalid(`${path}.deprecationWarning`, version.deprecationWarning, 'can only be set for deprecated versions');
  for (const [index, { name = '', type = '', jsonPath = '' }] of (version.additionalPrinterColumns ?? []).entries()) {
    const column = `${path}.additionalPrinterColumns[${String(index)}]`;
    if (name === '') yield required(`${column}.name`);
    if (type === '') yield required(`${column}.type`, `must be one of ${columnTypes.join(',')}`);
    else if (!columnTypes.includes(type))
      yield invalid(`${column}.type`, type, `must be one of ${columnTypes.join(',')}`);
    yield* pathFaults(jsonPath, `${column}.jsonPath`);
  }
  for (const [index, { jsonPath = '' }] of (version.selectableFields ?? []).entries())
    yield* pathFaults(jsonPath, `${path}.selectableFields[${String(index)}].jsonPath`);
  const scale = version.subresources?.scale;
  if (scale === undefined) return;
  const below = [
    ['specReplicasPath', scale.specReplicasPath, '.spec'],
    ['statusReplicasPath', scale.statusReplicasPath, '.status'],
  ] as const;
  for (const [field, value = '', root] of below) {
    const where = `${path}.subresources.scale.${field}`;
    if (value === '') yield required(where);
    else if (!value.startsWith(`${root}.`)) yield invalid(where, value, `should be a json path under ${root}`);
  }
}

const columnTypes = ['integer', 'number', 'string', 'boolean', 'date'];

function* pathFaults(jsonPath: string, path: string): Faults {
  if (jsonPath === '') yield required(path);
  else if (!jsonPath.startsWith('.') || parseJsonPath(jsonPath) === undefined)
    yield invalid(path, jsonPath, 'must be a simple json path starting with .');
}

/** A default must itself fit its schema. */
function* defaultFaults(schema: JsonSchema, path: string): Faults {
  if (schema.default !== undefined) {
    const value: unknown = structuredClone(schema.default);
    const inner = { type: 'object', properties: { default: schema } };
    const unknown = prune({ default: value }, inner);
    if (unknown.length > 0) yield invalid(`${path}.default`, schema.default, 'must not have unknown fields');
    for (const error of validateValue({ default: value }, inner, undefined))
      yield { ...error, path: `${path}.${error.path}`, detail: error.detail.replace(/^default/, `${path}.default`) };
  }
  for (const [name, part] of Object.entries(schema.properties ?? {}))
    yield* defaultFaults(part, `${path}.properties[${name}]`);
  if (typeof schema.additionalProperties === 'object')
    yield* defaultFaults(schema.additionalProperties, `${path}.additionalProperties`);
  if (schema.items !== undefined) yield* defaultFaults(schema.items, `${path}.items`);
}

function* conversionFaults({ conversion }: CustomResourceDefinitionSpec): Faults {
  const strategy = conversion?.strategy ?? '';
  if (strategy === '') yield required('spec.conversion.strategy');
  else if (strategy !== 'None' && strategy !== 'Webhook')
    yield notSupported('spec.conversion.strategy', strategy, ['None', 'Webhook']);
  const { clientConfig, conversionReviewVersions: reviews = [] } = conversion?.webhook ?? {};
  // Upstream names the field as its internal type does.
  const client = 'spec.conversion.webhookClientConfig';
  const versions = 'spec.conversion.conversionReviewVersions';
  if (strategy !== 'Webhook') {
    const unwanted = 'should not be set when strategy is not set to Webhook';
    if (clientConfig !== undefined) yield forbidden(client, unwanted);
    if (reviews.length > 0) yield forbidden(versions, unwanted);
    return;
  }
  if (clientConfig === undefined) yield required(client, 'required when strategy is set to Webhook');
  else yield* webhookClientFaults(clientConfig, client);
  if (reviews.length === 0) yield required(versions);
  else if (!reviews.some((one) => reviewVersions.some((known) => known === one)))
    yield invalid(versions, reviews, `must include at least one of ${reviewVersions.join(', ')}`);
}

/** Versions in which objects are stored must stay. */
function* storedFaults({ spec, status }: CustomResourceDefinition): Faults {
  const names = new Set((spec?.versions ?? []).map(({ name }) => name));
  for (const [index, version] of (status?.storedVersions ?? []).entries())
    if (!names.has(version))
      yield invalid(
        `status.storedVersions[${String(index)}]`,
        version,
        `missing from spec.versions; ${version} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in ${version} and removes ${version} from status.storedVersions`,
      );
}
