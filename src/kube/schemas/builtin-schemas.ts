import { types } from '../gen/types.ts';
import type { StructSchema } from '../schema.ts';
import { readTypeTable, type TypeTable } from './type-table.ts';

/** Groups whose name is not that of Go's package. */
const packageOfGroup: Readonly<Record<string, string>> = {
  '': 'core',
  'admission.k8s.io': 'admission',
  'admissionregistration.k8s.io': 'admissionregistration',
  'apiextensions.k8s.io': 'apiextensions',
  'apiregistration.k8s.io': 'apiregistration',
  'authentication.k8s.io': 'authentication',
  'authorization.k8s.io': 'authorization',
  'certificates.k8s.io': 'certificates',
  'coordination.k8s.io': 'coordination',
  'discovery.k8s.io': 'discovery',
  'events.k8s.io': 'events',
  'flowcontrol.apiserver.k8s.io': 'flowcontrol',
  'meta.k8s.io': 'meta',
  'metrics.k8s.io': 'metrics',
  'networking.k8s.io': 'networking',
  'node.k8s.io': 'node',
  'rbac.authorization.k8s.io': 'rbac',
  'resource.k8s.io': 'resource',
  'scheduling.k8s.io': 'scheduling',
  'storage.k8s.io': 'storage',
};

/** Kinds that each group version has: they are about requests, not about its resources. */
const kindsOfEachGroup: ReadonlySet<string> = new Set([
  'CreateOptions',
  'DeleteOptions',
  'GetOptions',
  'ListOptions',
  'PatchOptions',
  'UpdateOptions',
  'Status',
]);

/**
 * Schema of a kind of Kubernetes 1.34, also of lists and of kinds that are only sent, such as DeleteOptions; undefined when
 * there is none. Schemas are shared: whoever asks twice gets the same one.
 */
export function builtinSchema(group: string, version: string, kind: string): StructSchema | undefined {
  const owner = packageOfGroup[group] ?? group;
  const schema = table.type(`${owner}/${version}.${kind}`) ?? sharedKind(version, kind);
  return schema?.fields.has('apiVersion') === true && schema.fields.has('kind') ? schema : undefined;
}

/** A type by Go's package and name, such as `core/v1.PodSpec`; undefined when there is none. */
export function builtinType(key: string): StructSchema | undefined {
  return table.type(key);
}

/** Keys of all types, as `builtinType` takes them. */
export function builtinTypeKeys(): Iterable<string> {
  return table.keys();
}

/** Key of a kind's type for `builtinType`. */
export function builtinTypeKey(group: string, version: string, kind: string): string {
  return `${packageOfGroup[group] ?? group}/${version}.${kind}`;
}

function sharedKind(version: string, kind: string): StructSchema | undefined {
  return kindsOfEachGroup.has(kind) && /^v\d/.test(version) ? table.type(`meta/v1.${kind}`) : undefined;
}

const table: TypeTable = lazyTable();

/** Reads the table when it is first asked. */
function lazyTable(): TypeTable {
  let read: TypeTable | undefined;
  const get = (): TypeTable => (read ??= readTypeTable(types));
  return { type: (key) => get().type(key), keys: () => get().keys() };
}
