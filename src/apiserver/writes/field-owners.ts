import { applyPatch } from '#kube/apply/apply-patch.ts';
import { emptySet, setOfPaths, type FieldSet } from '#kube/apply/field-set.ts';
import type { Versioned } from '#kube/apply/ownership.ts';
import { updateManagedFields, type Write } from '#kube/apply/update-managed-fields.ts';
import type { Resource } from '#kube/resource.ts';

import type { ResourceTable } from '../resources/resource-table.ts';
import { apiVersionOf, viewOne, type ServedResource } from '../resources/served-resource.ts';
import { encodeObject, StoredObject } from '../storage/stored-object.ts';
import type { FieldOwners, WriteOptions } from './write-options.ts';

const status = setOfPaths([['f:status']]);
const allButStatus = setOfPaths([['f:spec'], ['f:metadata', 'f:labels'], ['f:metadata', 'f:ownerReferences']]);

/** States of an object that one write may need in other versions: a few for each version that somebody owns fields in. */
const conversionsMost = 100;

/** Keeps metadata.managedFields; fields that are owned in other versions of a resource are compared in those. */
export function fieldOwners(resources: ResourceTable, nowMs: () => number): FieldOwners {
  return {
    track: async (resource, live, updated, options, signal) => {
      const write = fieldWrite(resource, options, nowMs());
      return withConversions(
        resources,
        resource,
        (convert) => updateManagedFields(live, updated, { ...write, convert }),
        signal,
      );
    },
    apply: async (resource, live, applied, options, signal) => {
      const write = { ...fieldWrite(resource, options, nowMs()), force: options.force };
      return withConversions(
        resources,
        resource,
        (convert) => applyPatch(live, applied, { ...write, convert }),
        signal,
      );
    },
  };
}

type Convert = NonNullable<Write['convert']>;

/** Thrown out of a function that needs a conversion which takes time. */
class ConversionWanted extends Error {
  readonly key: string;
  readonly make: () => Promise<Versioned>;

  constructor(key: string, make: () => Promise<Versioned>) {
    super('a conversion is wanted');
    this.key = key;
    this.make = make;
  }
}

/** Runs a pure function again and again, until all conversions that it needs have been made. */
async function withConversions<T>(
  resources: ResourceTable,
  resource: ServedResource,
  run: (convert: Convert) => T,
  signal: AbortSignal,
): Promise<T> {
  const versionOf = (version: string): ServedResource | undefined =>
    resources.all().find((one) => one.storage === resource.storage && apiVersionOf(one.def) === version);
  const made = new Map<string, Versioned>();
  const convert: Convert = (object, version) => {
    const target = versionOf(version);
    if (target === undefined || object['apiVersion'] === version)
      return target && { object, schema: target.def.schema };
    const key = `${version} ${JSON.stringify(object)}`;
    const known = made.get(key);
    if (known !== undefined) return known;
    const source = versionOf(String(object['apiVersion'])) ?? resource;
    throw new ConversionWanted(key, async () => await converted(source, target, object as unknown as Resource, signal));
  };
  for (;;) {
    try {
      return run(convert);
    } catch (error) {
      if (!(error instanceof ConversionWanted) || made.size >= conversionsMost) throw error;
      made.set(error.key, await error.make());
    }
  }
}

/** By way of the stored version. Throws what the conversions throw. */
async function converted(
  source: ServedResource,
  target: ServedResource,
  object: Resource,
  signal: AbortSignal,
): Promise<Versioned> {
  const whole = { ...object, metadata: object.metadata ?? {} };
  const stored = (await source.conversion?.toStored(whole, signal)) ?? whole;
  const shown = await viewOne(target, new StoredObject('', 0n, encodeObject(stored)), signal);
  return { object: withoutRevision(shown.object), schema: target.def.schema };
}

function withoutRevision(object: Resource): Record<string, unknown> {
  const { resourceVersion: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}

/** How a write by an endpoint of a resource counts. */
function fieldWrite(
  resource: ServedResource,
  { manager, subresource }: Pick<WriteOptions, 'manager' | 'subresource'>,
  nowMs: number,
): Write {
  const { def } = resource;
  return {
    manager,
    subresource,
    nowMs,
    schema: def.schema,
    version: apiVersionOf(def),
    resetFields: resetFields(resource, subresource),
  };
}

/** What the endpoint does not write, so that nobody owns it by that. */
function resetFields({ def }: ServedResource, subresource: string): FieldSet {
  if (!def.subresources.some(({ name }) => name === 'status')) return emptySet;
  return subresource === 'status' ? allButStatus : status;
}
