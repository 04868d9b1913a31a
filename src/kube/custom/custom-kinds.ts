import { isDeepStrictEqual } from 'node:util';

import type { KindDef, Subresource } from '../kind.ts';
import { allVerbs, part, scale } from '../kinds/define-kind.ts';
import type { ObjectMeta, Resource } from '../resource.ts';
import type { CustomResourceDefinition, CustomResourceDefinitionVersion } from '../types/gen/apiextensions-v1.ts';
import { subdomainFaults } from '../validation/names.ts';
import { metaFaults, metaUpdateFaults } from '../validation/object-meta.ts';
import { customColumns } from './custom-columns.ts';
import { customSchema } from './custom-schema.ts';
import { applyDefaults } from './default-values.ts';
import { parseJsonPath } from './json-path.ts';
import type { JsonSchema } from './json-schema.ts';
import { prune } from './prune.ts';
import { hasRules, loadRules } from './load-rules.ts';
import { validateValue } from './validate-value.ts';

/** One version of a custom resource. Objects are decoded without a schema, then pruned. */
export interface CustomKind extends KindDef {
  /** As the definition has it: what OpenAPI shows. */
  readonly jsonSchema: JsonSchema;
  /** This version is the one that is stored. */
  readonly isStored: boolean;
  readonly isServed: boolean;
  readonly deprecationWarning: string | undefined;
  /** Where `scale` reads and writes, such as `.spec.replicas`; undefined: there is no such subresource. */
  readonly scalePaths: ScalePaths | undefined;
  /** Takes away what the schema does not know, in place; paths are for field validation: `unknown field "spec.foo"`. */
  readonly prune: (object: Record<string, unknown>) => readonly string[];
}

export interface ScalePaths {
  readonly specReplicas: string;
  readonly statusReplicas: string;
  readonly labelSelector: string | undefined;
}

/** Kinds of a definition, the first one being preferred (version priority: v2, v1, v1beta1, v1alpha1). */
export function customKinds(definition: CustomResourceDefinition): readonly CustomKind[] {
  return (definition.spec?.versions ?? [])
    .toSorted((one, other) => compareVersions(one.name ?? '', other.name ?? ''))
    .map((version) => customKind(definition, version));
}

function customKind({ spec = {} }: CustomResourceDefinition, version: CustomResourceDefinitionVersion): CustomKind {
  const { names = {}, group = '' } = spec;
  const { kind = '', plural = '' } = names;
  const name = version.name ?? '';
  const jsonSchema = (version.schema?.openAPIV3Schema ?? {}) as JsonSchema;
  const hasStatus = version.subresources?.status !== undefined;
  const scaling = version.subresources?.scale;
  const rules = hasRules(jsonSchema) ? new (loadRules().ValidationRules)() : undefined;
  const scope = spec.scope === 'Cluster' ? 'Cluster' : 'Namespaced';
  return {
    group,
    version: name,
    kind,
    plural,
    singular: names.singular ?? kind.toLowerCase(),
    shortNames: names.shortNames ?? [],
    categories: names.categories ?? [],
    scope,
    verbs: allVerbs,
    createsOnUpdate: false,
    needsRevision: true,
    subresources: [
      ...(hasStatus ? [part('status')] : []),
      ...(scaling === undefined ? [] : [scale]),
    ] satisfies Subresource[],
    schema: customSchema(jsonSchema),
    columns: customColumns(version.additionalPrinterColumns),
    selectableFields: Object.fromEntries(
      (version.selectableFields ?? []).map(({ jsonPath = '' }) => selectable(jsonPath)),
    ),
    jsonSchema,
    isStored: version.storage === true,
    isServed: version.served === true,
    deprecationWarning: warningOf(version, `${group}/${name} ${kind}`),
    scalePaths:
      scaling === undefined
        ? undefined
        : {
            specReplicas: scaling.specReplicasPath ?? '',
            statusReplicas: scaling.statusReplicasPath ?? '',
            labelSelector: scaling.labelSelectorPath,
          },
    prune: (object) => prune(object, jsonSchema),
    setDefaults: (object) => {
      applyDefaults(object, jsonSchema);
    },
    prepare: (object, old) => {
      prepare(object, old, hasStatus);
    },
    validate: (object, old) => {
      const errors = [
        ...(old === undefined
          ? metaFaults(object.metadata, scope, subdomainFaults)
          : metaUpdateFaults(object.metadata, old.metadata)),
        ...validateValue(object, jsonSchema, old),
      ];
      // Rules may take the value to fit its schema.
      return errors.length > 0 || rules === undefined ? errors : [...rules.faults(object, jsonSchema, old)];
    },
  };
}

function selectable(jsonPath: string): readonly [string, (object: Resource) => string] {
  const find = parseJsonPath(jsonPath);
  return [
    jsonPath.replace(/^\./, ''),
    (object) => {
      const [value] = find?.(object) ?? [];
      return typeof value === 'string' ? value : value === undefined || value === null ? '' : JSON.stringify(value);
    },
  ];
}

function warningOf(
  { deprecated, deprecationWarning }: CustomResourceDefinitionVersion,
  kind: string,
): string | undefined {
  return deprecated === true ? (deprecationWarning ?? `${kind} is deprecated`) : undefined;
}

type Changeable = { -readonly [F in keyof ObjectMeta]: ObjectMeta[F] };

/** With the subresource `status` that part is for it alone; whatever else changes is another generation. */
function prepare(object: Resource, old: Resource | undefined, hasStatus: boolean): void {
  const fields = object as Record<string, unknown>;
  if (hasStatus) {
    if (old?.['status'] === undefined) delete fields['status'];
    else fields['status'] = old['status'];
  }
  const metadata: Changeable = object.metadata;
  const isChanged = old !== undefined && !isDeepStrictEqual(withoutMeta(object), withoutMeta(old));
  metadata.generation = old === undefined ? 1 : (old.metadata.generation ?? 1) + Number(isChanged);
}

function withoutMeta(object: Resource): Record<string, unknown> {
  const { metadata: _, ...rest } = object;
  return rest;
}

/** Kubernetes' version priority: stable before beta before alpha, newer first, other names last by alphabet. */
export function compareVersions(one: string, other: string): number {
  const [first, second] = [versionRank(one), versionRank(other)];
  for (const [index, value] of first.entries()) {
    const difference = (second[index] ?? 0) - value;
    if (difference !== 0) return difference;
  }
  return one < other ? -1 : Number(one > other);
}

function versionRank(version: string): readonly [number, number, number] {
  const [, major = '', stage, minor = ''] = /^v([1-9]\d*)(?:(alpha|beta)([1-9]\d*))?$/.exec(version) ?? [];
  if (major === '') return [-1, 0, 0];
  return [stage === undefined ? 2 : stage === 'beta' ? 1 : 0, Number(major), Number(minor === '' ? 0 : minor)];
}
