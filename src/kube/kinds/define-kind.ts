import { required } from '#base/assert.ts';
import { isEqualJson } from '#base/json.ts';

import type { FieldError } from '../field-error.ts';
import { copyJson } from '../patch/json-tree.ts';
import type { KindDef, StoredAs, Subresource, Verb } from '../kind.ts';
import { plainColumns } from '../printing/columns.ts';
import type { ObjectMeta, Resource } from '../resource.ts';
import { builtinSchema } from '../schemas/builtin-schemas.ts';
import { type NameRule, subdomainFaults } from '../validation/names.ts';
import { coreFinalizerFaults, metaFaults, metaUpdateFaults } from '../validation/object-meta.ts';

/** What differs between kinds; all else follows from it. */
export interface KindRow<R extends Resource> {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  /** Default: the kind in lower case. */
  readonly singular?: string;
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
  readonly scope?: KindDef['scope'];
  readonly verbs?: readonly Verb[];
  readonly createsOnUpdate?: boolean;
  readonly needsRevision?: boolean;
  readonly subresources?: readonly Subresource[];
  readonly columns?: KindDef<R>['columns'];
  readonly selectableFields?: KindDef<R>['selectableFields'];
  /** Default: a DNS subdomain. */
  readonly nameRule?: NameRule;
  /** The status that a new object has; makes the subresource `status`, by which alone it changes. */
  readonly initialStatus?: Readonly<Record<string, unknown>>;
  /** A new object brings its status along. */
  readonly keepsStatusOnCreate?: boolean;
  /** The parts whose change makes another generation; none: objects have no generation. */
  readonly generationOf?: readonly string[];
  readonly setDefaults?: (object: R) => void;
  readonly prepare?: (object: R, old: R | undefined) => void;
  readonly storedAs?: StoredAs<R>;
  readonly subresourceRules?: KindDef<R>['subresourceRules'];
  readonly validate?: (object: R, old: R | undefined) => Iterable<FieldError>;
}

export const allVerbs: readonly Verb[] = [
  'create',
  'delete',
  'deletecollection',
  'get',
  'list',
  'patch',
  'update',
  'watch',
];
export const createOnly: readonly Verb[] = ['create'];
export const readOnly: readonly Verb[] = ['get', 'list'];
/** Groups whose metadata upstream checks by apimachinery's rules alone. */
const machineryGroups: ReadonlySet<string> = new Set([
  'admissionregistration.k8s.io',
  'apiextensions.k8s.io',
  'apiregistration.k8s.io',
  'coordination.k8s.io',
]);
const partVerbs: readonly Verb[] = ['get', 'patch', 'update'];

/** A subresource whose body is the kind itself unless said otherwise. */
export function part(name: string, body?: Subresource['body'], verbs: readonly Verb[] = partVerbs): Subresource {
  return { name, body, verbs };
}

export const scale = part('scale', { group: 'autoscaling', version: 'v1', kind: 'Scale' });

/** Makes the definition of a kind. The result no longer says which objects it takes: it is only handed its own. */
export function defineKind<R extends Resource>(row: KindRow<R>): KindDef {
  const { group, version, kind, plural, scope = 'Namespaced', nameRule = subdomainFaults } = row;
  const definition: Omit<KindDef<R>, 'schema'> = {
    group,
    version,
    kind,
    plural,
    singular: row.singular ?? kind.toLowerCase(),
    shortNames: row.shortNames ?? [],
    categories: row.categories ?? [],
    scope,
    verbs: row.verbs ?? allVerbs,
    createsOnUpdate: row.createsOnUpdate ?? false,
    needsRevision: row.needsRevision ?? false,
    subresources: [...(row.initialStatus === undefined ? [] : [part('status')]), ...(row.subresources ?? [])],
    columns: row.columns ?? plainColumns,
    selectableFields: row.selectableFields ?? {},
    ...(row.setDefaults === undefined ? {} : { setDefaults: row.setDefaults }),
    ...(row.storedAs === undefined ? {} : { storedAs: row.storedAs }),
    ...(row.subresourceRules === undefined ? {} : { subresourceRules: row.subresourceRules }),
    prepare: (object, old) => prepare(row, object, old),
    validate: (object, old) => [
      ...(old === undefined
        ? metaFaults(object.metadata, scope, nameRule)
        : metaUpdateFaults(object.metadata, old.metadata)),
      ...(machineryGroups.has(group) ? [] : coreFinalizerFaults(object.metadata)),
      ...(row.validate?.(object, old) ?? []),
    ],
  };
  const whole = Object.defineProperty(definition, 'schema', {
    enumerable: true,
    get: () => required(builtinSchema(group, version, kind), `${group}/${version} ${kind} in the specification`),
  });
  return whole as unknown as KindDef;
}

type Changeable = { -readonly [F in keyof ObjectMeta]: ObjectMeta[F] };

/** What upstream's strategies have in common: status is not for users to write, and generations are counted. */
function prepare<R extends Resource>(row: KindRow<R>, object: R, old: R | undefined): void {
  const fields = object as Record<string, unknown>;
  if (row.initialStatus !== undefined) {
    const kept = row.keepsStatusOnCreate === true ? object['status'] : undefined;
    const status = old === undefined ? (kept ?? copyJson(row.initialStatus)) : old['status'];
    if (status === undefined) delete fields['status'];
    else fields['status'] = status;
  }
  row.prepare?.(object, old);
  if (row.generationOf === undefined) return;
  const metadata: Changeable = object.metadata;
  const isChanged = row.generationOf.some((field) => !isEqualJson(object[field], old?.[field]));
  metadata.generation = old === undefined ? 1 : (old.metadata.generation ?? 0) + Number(isChanged);
}
