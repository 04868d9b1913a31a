import { isEqualJson } from '#base/json.ts';
import { keyOf, kindOf, type KindOf } from '#kube/client/client.ts';
import { controllerRevision } from '#kube/kinds/apps/controller-revision.ts';
import type { Resource } from '#kube/resource.ts';
import { type LabelSelection } from '#kube/selectors/label-selector.ts';
import { ApiError } from '#kube/status.ts';
import type { ControllerRevision } from '#kube/types/gen/apps-v1.ts';
import type { PodTemplateSpec } from '#kube/types/gen/core-v1.ts';

import type { World } from '../controller.ts';
import { claimObjects, controllerOf, unlessNotFound } from './claim-objects.ts';
import { templateHash } from './template-hash.ts';
import { controllerReference } from './templated-pod.ts';

export const revisionKind = kindOf<ControllerRevision>(controllerRevision);
/** On pods and revisions: the revision's name or hash. */
export const revisionLabel = 'controller-revision-hash';

interface Revised extends Resource {
  readonly spec?: { readonly template?: PodTemplateSpec };
  readonly status?: { readonly collisionCount?: number };
}

export interface Revisions {
  readonly current: ControllerRevision;
  /** All of them, the oldest first. */
  readonly all: readonly ControllerRevision[];
}

/** The revisions of a workload's template, that of today made or brought to the front where need be. */
export async function keepRevisions<R extends Revised>(
  owner: R,
  ownerKind: KindOf<R>,
  selection: LabelSelection,
  world: World<R>,
  signal: AbortSignal,
): Promise<Revisions> {
  const claim = { owner, ownerKind, kind: revisionKind, selection };
  const there = world.informer(revisionKind).list(owner.metadata.namespace);
  const all = (await claimObjects(claim, there, world.client, signal)).toSorted(
    (one, other) => numberOf(one) - numberOf(other),
  );
  const wanted = revisionOf(owner, numberOf(all.at(-1)) + 1);
  const same = all.findLast(({ data }) => isEqualJson(data, wanted.data));
  if (same === undefined) {
    const current = await create(owner, wanted, ownerKind, world, signal);
    return { current, all: [...all, current] };
  }
  if (same === all.at(-1)) return { current: same, all };
  // Back to what was before: it is the newest now.
  const current = await world.client.update(revisionKind, { ...same, revision: wanted.revision ?? 0 }, {}, signal);
  return { current, all: [...all.filter((one) => one !== same), current] };
}

/** Deletes revisions beyond the history, the oldest first; those that are in use stay. */
export async function removeRevisions<R extends Revised>(
  { all }: Revisions,
  inUse: ReadonlySet<string>,
  limit: number,
  { client }: World<R>,
  signal: AbortSignal,
): Promise<void> {
  const unused = all.filter(({ metadata }) => !inUse.has(metadata.name ?? ''));
  for (const one of unused.slice(0, Math.max(unused.length - limit, 0)))
    await client.delete(revisionKind, keyOf(one), {}, signal).catch(unlessNotFound);
}

/** The template that a revision keeps. */
export function templateOf({ data }: ControllerRevision): PodTemplateSpec {
  const { $patch: _, ...template } = (data as { spec: { template: PodTemplateSpec & { $patch?: string } } }).spec
    .template;
  return template;
}

/** As upstream keeps it, so that `kubectl rollout undo` can send it as a patch. */
function revisionOf(owner: Revised, revision: number): ControllerRevision {
  const { name = '', namespace = '' } = owner.metadata;
  const template = owner.spec?.template ?? {};
  const data = { spec: { template: { ...template, $patch: 'replace' } } };
  const hash = templateHash(data, owner.status?.collisionCount ?? 0);
  return {
    apiVersion: 'apps/v1',
    kind: 'ControllerRevision',
    metadata: {
      name: `${name}-${hash}`,
      namespace,
      labels: { ...template.metadata?.labels, [revisionLabel]: hash },
      annotations: owner.metadata.annotations ?? {},
      ownerReferences: [controllerReference(owner)],
    },
    data,
    revision,
  };
}

async function create<R extends Revised>(
  owner: R,
  wanted: ControllerRevision,
  ownerKind: KindOf<R>,
  { client }: World<R>,
  signal: AbortSignal,
): Promise<ControllerRevision> {
  try {
    return await client.create(revisionKind, wanted, {}, signal);
  } catch (error) {
    if (!(error instanceof ApiError) || error.statusReason !== 'AlreadyExists') throw error;
    const there = await client.get(revisionKind, keyOf(wanted), signal);
    // It was made a moment ago, and memory does not show it yet.
    if (controllerOf(there)?.uid === owner.metadata.uid && isEqualJson(there.data, wanted.data)) return there;
    const status = { ...owner.status, collisionCount: (owner.status?.collisionCount ?? 0) + 1 };
    await client.update(ownerKind, { ...owner, status }, { subresource: 'status' }, signal);
    throw error;
  }
}

function numberOf(one: ControllerRevision | undefined): number {
  return one?.revision ?? 0;
}
