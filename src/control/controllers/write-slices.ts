import { isEqualJson } from '#base/json.ts';
import { randomBelow } from '#base/ids.ts';
import { type Client, keyOf, kindOf } from '#kube/client/client.ts';
import { endpointSlice } from '#kube/kinds/discovery/endpoint-slice.ts';
import type { OwnerReference, Resource } from '#kube/resource.ts';
import type { EndpointSlice } from '#kube/types/gen/discovery-v1.ts';

import { packSlices } from './pack-slices.ts';
import type { AddressType, EndpointGroup } from './service-endpoints.ts';

export const endpointSlices = kindOf<EndpointSlice>(endpointSlice);
export const serviceNameLabel = 'kubernetes.io/service-name';
export const managedByLabel = 'endpointslice.kubernetes.io/managed-by';
export const triggerTimeAnnotation = 'endpoints.kubernetes.io/last-change-trigger-time';
/** What slices must not take over from the objects that they are made for. */
export const lastAppliedAnnotation = 'kubectl.kubernetes.io/last-applied-configuration';

const letters = 'bcdfghjklmnpqrstvwxz2456789';

export interface WantedSlices {
  readonly owner: Resource;
  readonly ownerReference: OwnerReference;
  readonly addressType: AddressType;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly groups: readonly EndpointGroup[];
  /** Endpoints of a slice at most. */
  readonly most: number;
  /** Whether none are left where there are no endpoints. */
  readonly isNoneEmpty?: boolean;
}

/** Brings slices of one family to what they are to show, with as few writes as that takes. */
export async function writeSlices(
  client: Client,
  wanted: WantedSlices,
  existing: readonly EndpointSlice[],
  signal: AbortSignal,
): Promise<void> {
  const { groups, most, isNoneEmpty = false, labels } = wanted;
  const isNone = isNoneEmpty && groups.length === 0;
  const plan = isNone ? { create: [], update: [], keep: [], remove: existing } : packSlices(existing, groups, most);
  for (const content of plan.create) await client.create(endpointSlices, sliceOf(wanted, content), {}, signal);
  for (const { slice, content } of plan.update)
    await client.update(endpointSlices, changed(slice, wanted, content), {}, signal);
  for (const slice of plan.keep) {
    if (isEqualJson(slice.metadata.labels ?? {}, labels)) continue;
    await client.update(endpointSlices, { ...slice, metadata: { ...slice.metadata, labels } }, {}, signal);
  }
  for (const slice of plan.remove) {
    const { uid } = slice.metadata;
    const preconditions = uid === undefined ? {} : { preconditions: { uid } };
    await client.delete(endpointSlices, keyOf(slice), preconditions, signal);
  }
}

function sliceOf(wanted: WantedSlices, { ports, endpoints }: EndpointGroup): EndpointSlice {
  const { owner, ownerReference, addressType, labels, annotations } = wanted;
  const { name = '', namespace = '' } = owner.metadata;
  const generateName = `${name.slice(0, 57)}-`;
  const suffix = Array.from({ length: 5 }, () => letters[randomBelow(letters.length)]).join('');
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      generateName,
      name: `${generateName}${suffix}`,
      namespace,
      labels,
      annotations,
      ownerReferences: [ownerReference],
    },
    addressType,
    endpoints: [...endpoints],
    ports: [...ports],
  };
}

function changed(slice: EndpointSlice, wanted: WantedSlices, { ports, endpoints }: EndpointGroup): EndpointSlice {
  const { labels, annotations } = wanted;
  return {
    ...slice,
    metadata: { ...slice.metadata, labels, annotations },
    endpoints: [...endpoints],
    ports: [...ports],
  };
}
