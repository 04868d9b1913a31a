import { isEqualJson } from '#base/json.ts';
import type { Endpoint, EndpointPort, EndpointSlice } from '#kube/types/gen/discovery-v1.ts';

import type { EndpointGroup } from './service-endpoints.ts';

/** What is to become of slices. */
export interface SlicePlan {
  /** Contents of new ones. */
  readonly create: readonly EndpointGroup[];
  readonly update: readonly { readonly slice: EndpointSlice; readonly content: EndpointGroup }[];
  readonly remove: readonly EndpointSlice[];
  readonly keep: readonly EndpointSlice[];
}

/**
 * Lays endpoints into slices of at most `most` with few writes, as upstream does (endpointslice/reconciler.go): what is
 * in a slice stays there, slices that have to be written anyhow are filled first, then one that all the rest fits into,
 * then new ones. One slice without endpoints is left where there are none.
 */
export function packSlices(
  existing: readonly EndpointSlice[],
  groups: readonly EndpointGroup[],
  most: number,
): SlicePlan {
  const wanted = groups.length > 0 ? groups : [{ ports: [], endpoints: [] }];
  const plan = { create: [], update: [], remove: [], keep: [] } as Plan;
  const left = new Set(existing);
  for (const group of wanted) {
    const same = existing.filter((slice) => left.has(slice) && hasPorts(slice, group.ports));
    for (const slice of same) left.delete(slice);
    packGroup(same, group, most, plan);
  }
  // One with other ports that goes is written anew instead of being removed beside a new one.
  const spare = [...left];
  while (spare.length > 0 && plan.create.length > 0) {
    const slice = spare.pop();
    const content = plan.create.pop();
    if (slice !== undefined && content !== undefined) plan.update.push({ slice, content });
  }
  plan.remove.push(...spare);
  return plan;
}

interface Plan {
  create: EndpointGroup[];
  update: { slice: EndpointSlice; content: EndpointGroup }[];
  remove: EndpointSlice[];
  keep: EndpointSlice[];
}

interface Draft {
  readonly slice: EndpointSlice;
  readonly endpoints: Endpoint[];
  isChanged: boolean;
}

function packGroup(
  existing: readonly EndpointSlice[],
  { ports, endpoints }: EndpointGroup,
  most: number,
  plan: Plan,
): void {
  const missing = new Map(endpoints.map((endpoint) => [identityOf(endpoint), endpoint]));
  const drafts = existing.map((slice) => draftOf(slice, missing, most));
  const rest = [...missing.values()];
  const add = (draft: Draft): void => {
    const taken = rest.splice(0, most - draft.endpoints.length);
    draft.endpoints.push(...taken);
    draft.isChanged ||= taken.length > 0;
  };
  for (const draft of drafts) if (draft.isChanged) add(draft);
  if (rest.length > 0) {
    const last = rest.length % most;
    const roomy = drafts
      .filter((draft) => last > 0 && draft.endpoints.length + last <= most)
      .toSorted((one, other) => other.endpoints.length - one.endpoints.length)
      .at(0);
    if (roomy !== undefined) {
      roomy.endpoints.push(...rest.splice(0, last));
      roomy.isChanged = true;
    }
  }
  while (rest.length > 0) plan.create.push({ ports, endpoints: rest.splice(0, most) });
  const isEmpty = endpoints.length === 0;
  for (const { slice, endpoints: content, isChanged } of drafts) {
    const isPlaceholder = isEmpty && plan.keep.length + plan.update.length === 0;
    if (content.length === 0 && !isPlaceholder) plan.remove.push(slice);
    else if (isChanged) plan.update.push({ slice, content: { ports, endpoints: content } });
    else plan.keep.push(slice);
  }
  if (isEmpty && drafts.length === 0) plan.create.push({ ports, endpoints: [] });
}

/** What stays of a slice; takes it out of `missing`. */
function draftOf(slice: EndpointSlice, missing: Map<string, Endpoint>, most: number): Draft {
  const before = slice.endpoints ?? [];
  const endpoints: Endpoint[] = [];
  for (const endpoint of before.slice(0, most)) {
    const identity = identityOf(endpoint);
    const now = missing.get(identity);
    if (now === undefined) continue;
    missing.delete(identity);
    endpoints.push(now);
  }
  return { slice, endpoints, isChanged: !isEqualJson(before, endpoints) };
}

function hasPorts(slice: EndpointSlice, ports: readonly EndpointPort[]): boolean {
  return isEqualJson(slice.ports ?? [], ports);
}

function identityOf({ addresses = [], targetRef }: Endpoint): string {
  return `${targetRef?.uid ?? ''} ${addresses.join(' ')}`;
}
