import type { PersistentVolumeClaimSpec } from '../../types/gen/core-v1.ts';
import { forbidden, invalid, invalids, notSupported, required } from '../faults.ts';
import { subdomainFaults } from '../names.ts';
import type { Faults } from '../object-meta.ts';
import { quantityOf } from '../resources.ts';
import { selectorFaults } from '../selectors.ts';
import { choiceFaults } from '../values.ts';

const accessModes = ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod'];
export const volumeModes = ['Block', 'Filesystem'];

/** What is wrong with a claim for storage (core/validation, ValidatePersistentVolumeClaimSpec). */
export function* claimSpecFaults(spec: PersistentVolumeClaimSpec, path: string): Faults {
  const modes = spec.accessModes ?? [];
  if (modes.length === 0) yield required(`${path}.accessModes`, 'at least 1 access mode is required');
  yield* selectorFaults(spec.selector, `${path}.selector`);
  yield* accessModeFaults(modes, `${path}.accessModes`);
  const size = spec.resources?.requests?.['storage'];
  if (size === undefined) yield required(`${path}.resources[storage]`);
  else if ((quantityOf(size)?.nanos ?? 1n) <= 0n)
    yield invalid(`${path}.resources[storage]`, size, 'must be greater than zero');
  for (const field of ['storageClassName', 'volumeAttributesClassName'] as const) {
    const name = spec[field] ?? '';
    if (name !== '') yield* invalids(`${path}.${field}`, name, subdomainFaults(name));
  }
  yield* choiceFaults(`${path}.volumeMode`, spec.volumeMode, volumeModes);
  for (const field of ['dataSource', 'dataSourceRef'] as const) {
    const source = spec[field];
    if (source === undefined) continue;
    if ((source.name ?? '') === '') yield required(`${path}.${field}.name`);
    if ((source.kind ?? '') === '') yield required(`${path}.${field}.kind`);
    if ((source.apiGroup ?? '') === '' && source.kind !== 'PersistentVolumeClaim')
      yield invalid(
        `${path}.${field}`,
        source.kind ?? '',
        "must be 'PersistentVolumeClaim' when referencing the default apiGroup",
      );
  }
}

export function* accessModeFaults(modes: readonly string[], path: string): Faults {
  for (const mode of modes) if (!accessModes.includes(mode)) yield notSupported(path, mode, accessModes);
  const others = modes.filter((mode) => mode !== 'ReadWriteOncePod' && accessModes.includes(mode));
  if (modes.includes('ReadWriteOncePod') && others.length > 0)
    yield forbidden(path, 'may not use ReadWriteOncePod with other access modes');
}
