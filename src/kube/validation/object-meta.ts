import { isEqualJson } from '#base/json.ts';

import type { FieldError } from '../field-error.ts';
import type { ObjectMeta, OwnerReference } from '../resource.ts';
import { forbidden, invalid, invalids, required, tooLong } from './faults.ts';
import {
  byteLength,
  labelFaults,
  labelValueFaults,
  type NameRule,
  prefixFaults,
  qualifiedNameFaults,
} from './names.ts';

export type Faults = Iterable<FieldError>;

const annotationBytesMost = 256 * 1024;

/** What is wrong with the metadata of a new object (apimachinery, api/validation/objectmeta.go). */
export function* metaFaults(meta: ObjectMeta, scope: 'Namespaced' | 'Cluster', rule: NameRule): Faults {
  const { generateName = '', name = '', namespace = '' } = meta;
  if (generateName !== '') yield* invalids('metadata.generateName', generateName, prefixFaults(rule, generateName));
  if (name === '') yield required('metadata.name', 'name or generateName is required');
  else yield* invalids('metadata.name', name, rule(name));
  if (scope === 'Cluster') {
    if (namespace !== '') yield forbidden('metadata.namespace', 'not allowed on this type');
  } else if (namespace === '') yield required('metadata.namespace');
  else yield* invalids('metadata.namespace', namespace, labelFaults(namespace));
  if ((meta.generation ?? 0) < 0) yield invalid('metadata.generation', meta.generation, notNegative);
  yield* sharedFaults(meta);
}

/** What is wrong with metadata that shall replace other. An absent resourceVersion is the caller's matter. */
export function* metaUpdateFaults(meta: ObjectMeta, old: ObjectMeta): Faults {
  const added = (meta.finalizers ?? []).filter((one) => !(old.finalizers ?? []).includes(one));
  if (old.deletionTimestamp !== undefined && added.length > 0)
    yield forbidden(
      'metadata.finalizers',
      `no new finalizers can be added if the object is being deleted, found new finalizers []string{${added.map((one) => JSON.stringify(one)).join(', ')}}`,
    );
  if ((meta.generation ?? 0) < (old.generation ?? 0))
    yield invalid('metadata.generation', meta.generation ?? 0, 'must not be decremented');
  for (const field of unchangeable) yield* immutable(`metadata.${field}`, meta[field], old[field]);
  yield* sharedFaults(meta);
}

/** Labels and annotations of any metadata, such as that of a pod template. */
export function* labelMapFaults(labels: Readonly<Record<string, string>> | undefined, path: string): Faults {
  for (const [key, value] of Object.entries(labels ?? {})) {
    yield* invalids(path, key, qualifiedNameFaults(key));
    yield* invalids(path, value, labelValueFaults(value));
  }
}

export function* annotationFaults(annotations: Readonly<Record<string, string>> | undefined, path: string): Faults {
  let size = 0;
  for (const [key, value] of Object.entries(annotations ?? {})) {
    yield* invalids(path, key, qualifiedNameFaults(key.toLowerCase()));
    size += byteLength(key) + byteLength(value);
  }
  if (size > annotationBytesMost) yield tooLong(path, annotationBytesMost);
}

/** `field is immutable` when a value is another than it was. Absent and null are the same. */
export function* immutable(path: string, value: unknown, old: unknown): Faults {
  if (!isEqualJson(value ?? undefined, old ?? undefined)) yield invalid(path, value, 'field is immutable');
}

export const notNegative = 'must be greater than or equal to 0';

export function* negativeFaults(path: string, value: number | undefined): Faults {
  if (value !== undefined && value < 0) yield invalid(path, value, notNegative);
}

const unchangeable = [
  'name',
  'namespace',
  'uid',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
] as const satisfies (keyof ObjectMeta)[];

function* sharedFaults(meta: ObjectMeta): Faults {
  yield* labelMapFaults(meta.labels, 'metadata.labels');
  yield* annotationFaults(meta.annotations, 'metadata.annotations');
  yield* ownerFaults(meta.ownerReferences ?? []);
  yield* finalizerFaults(meta.finalizers ?? []);
}

function* ownerFaults(owners: readonly OwnerReference[]): Faults {
  const path = 'metadata.ownerReferences';
  let controller = '';
  for (const [index, owner] of owners.entries()) {
    const at = `${path}[${String(index)}]`;
    const { apiVersion = '', kind = '', name = '', uid = '' } = owner as Partial<OwnerReference>;
    if (apiVersion === '' || apiVersion.endsWith('/'))
      yield invalid(`${at}.apiVersion`, apiVersion, 'version must not be empty');
    if (kind === '') yield invalid(`${at}.kind`, kind, 'must not be empty');
    if (name === '') yield invalid(`${at}.name`, name, 'must not be empty');
    if (uid === '') yield invalid(`${at}.uid`, uid, 'must not be empty');
    if (apiVersion === 'v1' && kind === 'Event')
      yield invalid(at, owner, '/v1, Kind=Event is disallowed from being an owner');
    if (owner.controller !== true) continue;
    if (controller !== '')
      yield invalid(
        path,
        owners,
        `Only one reference can have Controller set to true. Found "true" in references for ${controller} and ${name}`,
      );
    else controller = name;
  }
}

function* finalizerFaults(finalizers: readonly string[]): Faults {
  for (const finalizer of finalizers) yield* invalids('metadata.finalizers', finalizer, qualifiedNameFaults(finalizer));
  if (finalizers.includes('orphan') && finalizers.includes('foregroundDeletion'))
    yield invalid('metadata.finalizers', finalizers, 'finalizer orphan and foregroundDeletion cannot be both set');
}

/** What upstream checks of its own kinds alone (core/validation). */
export function* coreFinalizerFaults({ finalizers = [] }: ObjectMeta): Faults {
  for (const [index, finalizer] of finalizers.entries())
    yield* legacyFinalizerFaults(finalizer, `metadata.finalizers[${String(index)}]`);
}

/** Finalizers without a domain are those that upstream knows. */
export function* legacyFinalizerFaults(finalizer: string, path: string): Faults {
  if (!finalizer.includes('/') && !standardFinalizers.has(finalizer))
    yield invalid(path, finalizer, 'name is neither a standard finalizer name nor is it fully qualified');
}

const standardFinalizers: ReadonlySet<string> = new Set(['kubernetes', 'orphan', 'foregroundDeletion']);
