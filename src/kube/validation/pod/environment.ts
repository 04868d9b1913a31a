import type { ConfigMapKeySelector, EnvFromSource, EnvVar } from '../../types/gen/core-v1.ts';
import { invalid, invalids, required } from '../faults.ts';
import { configKeyFaults, environmentNameFaults, subdomainFaults } from '../names.ts';
import type { Faults } from '../object-meta.ts';
import { environmentFields, fieldReferenceFaults, resourceReferenceFaults } from './field-references.ts';

export function* environmentFaults(variables: readonly EnvVar[], path: string): Faults {
  for (const [index, variable] of variables.entries()) {
    const at = `${path}[${String(index)}]`;
    if ((variable.name ?? '') === '') yield required(`${at}.name`);
    else yield* invalids(`${at}.name`, variable.name, environmentNameFaults(variable.name ?? ''));
    yield* sourceFaults(variable, `${at}.valueFrom`);
  }
}

/** Sources of many variables; upstream names the list, not the item, when there is not exactly one kind. */
export function* environmentSourceFaults(sources: readonly EnvFromSource[], path: string): Faults {
  for (const [index, { prefix = '', configMapRef, secretRef }] of sources.entries()) {
    const at = `${path}[${String(index)}]`;
    if (prefix !== '') yield* invalids(`${at}.prefix`, prefix, environmentNameFaults(prefix));
    for (const [field, reference] of Object.entries({ configMapRef, secretRef })) {
      if (reference === undefined) continue;
      const { name = '' } = reference;
      if (name === '') yield required(`${at}.${field}.name`);
      else yield* invalids(`${at}.${field}.name`, name, subdomainFaults(name));
    }
    if (configMapRef === undefined && secretRef === undefined)
      yield invalid(path, '', 'must specify one of: `configMapRef` or `secretRef`');
    else if (configMapRef !== undefined && secretRef !== undefined)
      yield invalid(path, '', 'may not have more than one field specified at a time');
  }
}

function* sourceFaults({ value = '', valueFrom }: EnvVar, path: string): Faults {
  if (valueFrom === undefined) return;
  const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef } = valueFrom;
  if (fieldRef !== undefined) yield* fieldReferenceFaults(fieldRef, environmentFields, `${path}.fieldRef`);
  if (resourceFieldRef !== undefined)
    yield* resourceReferenceFaults(resourceFieldRef, false, `${path}.resourceFieldRef`);
  if (configMapKeyRef !== undefined) yield* keyFaults(configMapKeyRef, `${path}.configMapKeyRef`);
  if (secretKeyRef !== undefined) yield* keyFaults(secretKeyRef, `${path}.secretKeyRef`);
  const sources = [fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef];
  const count = sources.filter((source) => source !== undefined).length;
  if (count === 0)
    yield invalid(path, '', 'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`');
  else if (value !== '') yield invalid(path, '', 'may not be specified when `value` is not empty');
  else if (count > 1) yield invalid(path, '', 'may not have more than one field specified at a time');
}

function* keyFaults({ name = '', key = '' }: ConfigMapKeySelector, path: string): Faults {
  yield* invalids(`${path}.name`, name, subdomainFaults(name));
  if (key === '') yield required(`${path}.key`);
  else yield* invalids(`${path}.key`, key, configKeyFaults(key));
}
