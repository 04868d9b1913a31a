import type {
  CustomResourceDefinition,
  CustomResourceDefinitionNames,
  CustomResourceDefinitionSpec,
} from '../../types/gen/apiextensions-v1.ts';
import { duplicate, invalid, invalids, notSupported, required } from '../../validation/faults.ts';
import { dns1035Faults, subdomainFaults } from '../../validation/names.ts';
import { type Faults, immutable } from '../../validation/object-meta.ts';

const columnTypes = ['boolean', 'date', 'integer', 'number', 'string'];

/** What is wrong with a definition but for the schemas in it (apiextensions/validation). */
export function* definitionFaults(
  { metadata, spec = {}, status = {} }: CustomResourceDefinition,
  old: CustomResourceDefinition | undefined,
): Faults {
  const { group = '', names = {} } = spec;
  if (old === undefined && metadata.name !== `${names.plural ?? ''}.${group}`)
    yield invalid('metadata.name', metadata.name ?? '', 'must be spec.names.plural+"."+spec.group');
  if (group === '') yield required('spec.group');
  else {
    yield* invalids('spec.group', group, subdomainFaults(group));
    if (!group.includes('.')) yield invalid('spec.group', group, 'should be a domain with at least one dot');
  }
  if ((spec.scope ?? '') === '') yield required('spec.scope');
  else if (spec.scope !== 'Cluster' && spec.scope !== 'Namespaced')
    yield notSupported('spec.scope', spec.scope, ['Cluster', 'Namespaced']);
  yield* versionFaults(spec);
  yield* nameFaults(names, 'spec.names');
  yield* conversionFaults(spec);
  if (old === undefined) return;
  const known = new Set((spec.versions ?? []).map(({ name }) => name));
  for (const [index, version] of (status.storedVersions ?? []).entries())
    if (!known.has(version))
      yield invalid(`status.storedVersions[${String(index)}]`, version, 'must appear in spec.versions');
  const isEstablished = (old.status?.conditions ?? []).some(
    ({ type, status: is }) => type === 'Established' && is === 'True',
  );
  if (!isEstablished) return;
  yield* immutable('spec.group', group, old.spec?.group ?? '');
  yield* immutable('spec.scope', spec.scope, old.spec?.scope);
  yield* immutable('spec.names.kind', names.kind, old.spec?.names?.kind);
  yield* immutable('spec.names.plural', names.plural, old.spec?.names?.plural);
}

function* versionFaults({ versions = [] }: CustomResourceDefinitionSpec): Faults {
  const names = new Set<string>();
  const stored = versions.filter(({ storage }) => storage === true);
  for (const [index, { name = '', schema, additionalPrinterColumns = [] }] of versions.entries()) {
    const at = `spec.versions[${String(index)}]`;
    yield* invalids(`${at}.name`, name, dns1035Faults(name));
    if (names.has(name)) yield duplicate(`${at}.name`, name);
    names.add(name);
    if (schema?.openAPIV3Schema === undefined) yield required(`${at}.schema.openAPIV3Schema`, 'schemas are required');
    for (const [place, column] of additionalPrinterColumns.entries()) {
      const path = `${at}.additionalPrinterColumns[${String(place)}]`;
      if ((column.name ?? '') === '') yield required(`${path}.name`);
      if ((column.type ?? '') === '') yield required(`${path}.type`, `must be one of ${columnTypes.join(',')}`);
      else if (!columnTypes.includes(column.type ?? ''))
        yield invalid(`${path}.type`, column.type, `must be one of ${columnTypes.join(',')}`);
      if ((column.jsonPath ?? '') === '') yield required(`${path}.JSONPath`);
    }
  }
  if (stored.length !== 1)
    yield invalid(
      'spec.versions',
      versions.map(({ name = '' }) => name),
      'must have exactly one version marked as storage version',
    );
}

function* nameFaults(names: CustomResourceDefinitionNames, path: string): Faults {
  for (const field of ['plural', 'singular', 'kind', 'listKind'] as const) {
    const name = names[field] ?? '';
    if (name === '') {
      if (field === 'plural' || field === 'kind') yield required(`${path}.${field}`);
      continue;
    }
    const isKind = field.toLowerCase().endsWith('kind');
    const faults = dns1035Faults(isKind ? name.toLowerCase() : name);
    if (faults.length > 0)
      yield invalid(
        `${path}.${field}`,
        name,
        isKind ? `may have mixed case, but should otherwise match: ${faults.join(',')}` : faults.join(','),
      );
  }
  for (const [index, name] of (names.shortNames ?? []).entries())
    yield* invalids(`${path}.shortNames[${String(index)}]`, name, dns1035Faults(name));
  for (const [index, name] of (names.categories ?? []).entries())
    yield* invalids(`${path}.categories[${String(index)}]`, name, dns1035Faults(name));
  if ((names.kind ?? '') !== '' && names.kind === names.listKind)
    yield invalid(`${path}.listKind`, names.listKind, 'kind and listKind may not be the same');
}

function* conversionFaults({ conversion = {} }: CustomResourceDefinitionSpec): Faults {
  const { strategy = '', webhook } = conversion;
  if (strategy === '') yield required('spec.conversion.strategy');
  else if (strategy !== 'None' && strategy !== 'Webhook')
    yield notSupported('spec.conversion.strategy', strategy, ['None', 'Webhook']);
  if (strategy === 'Webhook') {
    if (webhook?.clientConfig === undefined)
      yield required('spec.conversion.webhookClientConfig', 'required when strategy is set to Webhook');
    if ((webhook?.conversionReviewVersions ?? []).length === 0)
      yield required('spec.conversion.conversionReviewVersions');
  } else if (webhook !== undefined)
    yield invalid('spec.conversion.webhook', webhook, 'must not be set when strategy is not set to Webhook');
}
