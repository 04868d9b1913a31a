import { emptySet, setOfPaths, type FieldSet } from '#kube/apply/field-set.ts';
import { updateManagedFields, type Write } from '#kube/apply/update-managed-fields.ts';

import { apiVersionOf, type ServedResource } from '../resources/served-resource.ts';
import type { FieldOwners } from './write-options.ts';

const status = setOfPaths([['f:status']]);
const allButStatus = setOfPaths([['f:spec'], ['f:metadata', 'f:labels'], ['f:metadata', 'f:ownerReferences']]);

/** How a write by an endpoint of a resource counts for metadata.managedFields. */
export function fieldWrite(resource: ServedResource, manager: string, subresource: string, nowMs: number): Write {
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

export function fieldOwners(nowMs: () => number): FieldOwners {
  return {
    track: (resource, live, updated, { manager, subresource }) =>
      updateManagedFields(live, updated, fieldWrite(resource, manager, subresource, nowMs())),
  };
}

/** What the endpoint does not write, so that nobody owns it by that. */
function resetFields({ def }: ServedResource, subresource: string): FieldSet {
  if (!def.subresources.some(({ name }) => name === 'status')) return emptySet;
  return subresource === 'status' ? allButStatus : status;
}
