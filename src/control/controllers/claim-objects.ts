import { StatusError } from '#base/errors.ts';
import { type Client, keyOf, type KindOf } from '#kube/client/client.ts';
import type { OwnerReference, Resource } from '#kube/resource.ts';
import { type LabelSelection, matchesLabels } from '#kube/selectors/label-selector.ts';

import { controllerReference } from './templated-pod.ts';

export interface Claim<R extends Resource> {
  readonly owner: Resource;
  readonly ownerKind: KindOf;
  /** What is claimed. */
  readonly kind: KindOf<R>;
  readonly selection: LabelSelection;
}

/**
 * The objects that an owner controls: those that it has and its selector still means, and those that it means and nobody
 * has, which it adopts. What its selector no longer means is let go. An owner that goes does neither.
 */
export async function claimObjects<R extends Resource>(
  claim: Claim<R>,
  candidates: readonly R[],
  client: Client,
  signal: AbortSignal,
): Promise<R[]> {
  const { owner, selection } = claim;
  const isGoing = owner.metadata.deletionTimestamp !== undefined;
  const claimed: R[] = [];
  let mayAdopt: boolean | undefined;
  for (const one of candidates) {
    const isMeant = matchesLabels(selection, one.metadata.labels);
    const controller = controllerOf(one);
    if (controller !== undefined) {
      if (controller.uid !== owner.metadata.uid) continue;
      if (isMeant) claimed.push(one);
      else if (!isGoing) await release(claim, one, client, signal);
    } else if (isMeant && !isGoing && one.metadata.deletionTimestamp === undefined) {
      mayAdopt ??= await isStillThere(claim, client, signal);
      if (mayAdopt)
        claimed.push(await setOwners(claim.kind, one, [...ownersOf(one), controllerReference(owner)], client, signal));
    }
  }
  return claimed;
}

/** The owner that controls an object. */
export function controllerOf({ metadata }: Resource): OwnerReference | undefined {
  return metadata.ownerReferences?.find(({ controller }) => controller === true);
}

/** For what is gone already, which is as well. */
export function unlessNotFound(error: unknown): undefined {
  if (error instanceof StatusError && error.reason === 'NotFound') return undefined;
  throw error;
}

async function release<R extends Resource>(
  { owner, kind }: Claim<R>,
  one: R,
  client: Client,
  signal: AbortSignal,
): Promise<void> {
  const others = ownersOf(one).filter(({ uid }) => uid !== owner.metadata.uid);
  await setOwners(kind, one, others, client, signal).catch(unlessNotFound);
}

async function setOwners<R extends Resource>(
  kind: KindOf<R>,
  one: R,
  ownerReferences: readonly OwnerReference[],
  client: Client,
  signal: AbortSignal,
): Promise<R> {
  const { resourceVersion } = one.metadata;
  const body = { metadata: { ...(resourceVersion === undefined ? {} : { resourceVersion }), ownerReferences } };
  return client.patch(kind, keyOf(one), { type: 'merge', body }, {}, signal);
}

function ownersOf({ metadata }: Resource): readonly OwnerReference[] {
  return metadata.ownerReferences ?? [];
}

/** What is in memory may be of an owner that went, or was made anew: it must not adopt. */
async function isStillThere<R extends Resource>(
  { owner, ownerKind }: Claim<R>,
  client: Client,
  signal: AbortSignal,
): Promise<boolean> {
  const now = await client.get(ownerKind, keyOf(owner), signal).catch(unlessNotFound);
  return now?.metadata.uid === owner.metadata.uid && now?.metadata.deletionTimestamp === undefined;
}
