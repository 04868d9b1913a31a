import { createHash } from 'node:crypto';

import { type Controller, ownedBy, type World } from '#control/controller.ts';
import { runController } from '#control/run-controller.ts';
import { SharedInformers } from '#control/shared-informers.ts';
import { type Client, keyOf, kindOf, type ObjectKey } from '#kube/client/client.ts';
import { deployment } from '#kube/kinds/apps/deployment.ts';
import { replicaSet } from '#kube/kinds/apps/replica-set.ts';
import { job } from '#kube/kinds/batch/job.ts';
import { pod } from '#kube/kinds/core/pod.ts';
import type { Resource } from '#kube/resource.ts';
import type { Deployment, ReplicaSet } from '#kube/types/gen/apps-v1.ts';
import type { Job } from '#kube/types/gen/batch-v1.ts';
import type { Pod } from '#kube/types/gen/core-v1.ts';

const deployments = kindOf<Deployment>(deployment);
const replicaSets = kindOf<ReplicaSet>(replicaSet);
const jobs = kindOf<Job>(job);
const pods = kindOf<Pod>(pod);

const revisionKey = 'deployment.kubernetes.io/revision';
const causeKey = 'kubernetes.io/change-cause';
/** On a Deployment: how many of its replicas become available; without it all do. */
const availableKey = 'test/available';

/**
 * What controllers and nodes would do, as far as clients wait for it: Deployments get ReplicaSets with revisions and roll
 * out, Jobs complete, Pods run, or have ended well when they are not to run always. Runs until the signal aborts.
 */
export async function runFakeCluster(
  client: Client,
  namespaces: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<void> {
  await using informers = new SharedInformers(client);
  const run = async <R extends Resource>(controller: Controller<R>): Promise<void> =>
    runController(within(namespaces, controller), client, informers, {}, signal);
  await Promise.all([run(rollOut), run(completeJobs), run(runPods)]);
}

function within<R extends Resource>(namespaces: ReadonlySet<string>, controller: Controller<R>): Controller<R> {
  return {
    ...controller,
    reconcile: async (key, world, signal) =>
      namespaces.has(key.namespace) ? controller.reconcile(key, world, signal) : {},
  };
}

const rollOut: Controller<Deployment> = {
  name: 'roll-out',
  primary: deployments,
  inputs: [ownedBy(deployments, replicaSets)],
  outputs: [deployments, replicaSets],
  reconcile: async (key, world, signal) => {
    const object = world.primary.get(key);
    if (object === undefined || object.metadata.deletionTimestamp !== undefined) return {};
    const owned = (await world.client.list(replicaSets, { namespace: key.namespace }, signal)).items.filter(
      ({ metadata }) => metadata.ownerReferences?.some(({ uid }) => uid === object.metadata.uid) === true,
    );
    const { spec: { paused = false } = {} } = object;
    if (!paused) await useTemplate(object, owned, world, signal);
    await setStatus(world.client, deployments, key, object, deploymentStatus(object, paused), signal);
    return {};
  },
};

/** Makes the ReplicaSet of the present template, or the latest revision of it, and scales it and the others. */
async function useTemplate(
  object: Deployment,
  owned: readonly ReplicaSet[],
  { client }: World<Deployment>,
  signal: AbortSignal,
): Promise<void> {
  const { namespace = '', name = '' } = object.metadata;
  const hash = createHash('sha256').update(JSON.stringify(object.spec?.template)).digest('hex').slice(0, 8);
  const key = { namespace, name: `${name}-${hash}` };
  const revisions = owned.map(({ metadata }) => [metadata.name, Number(metadata.annotations?.[revisionKey])] as const);
  const latest = Math.max(0, ...revisions.map(([, number]) => number));
  const isLatest = revisions.some(([one, number]) => one === key.name && number === latest);
  const revision = String(isLatest ? latest : latest + 1);
  const cause = object.metadata.annotations?.[causeKey];
  const annotations = { [revisionKey]: revision, ...(cause === undefined ? {} : { [causeKey]: cause }) };
  const labels = { ...object.spec?.template?.metadata?.labels, 'pod-template-hash': hash };
  const { replicas = 0, template } = object.spec ?? {};
  const wanted: ReplicaSet = {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: { ...key, labels, annotations, ownerReferences: [ownerOf(object)] },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: { ...template, metadata: { ...template?.metadata, labels } },
    },
  };
  await client.apply(replicaSets, wanted, { fieldManager: 'fake', force: true }, signal);
  for (const one of owned)
    if (one.metadata.name !== key.name && one.spec?.replicas !== 0)
      await client.patch(replicaSets, keyOf(one), { type: 'merge', body: { spec: { replicas: 0 } } }, {}, signal);
  if (object.metadata.annotations?.[revisionKey] === revision) return;
  const body = { metadata: { annotations: { [revisionKey]: revision } } };
  await client.patch(deployments, keyOf(object), { type: 'merge', body }, {}, signal);
}

function ownerOf({ metadata }: Deployment): NonNullable<Resource['metadata']['ownerReferences']>[number] {
  const { name = '', uid = '' } = metadata;
  return { apiVersion: 'apps/v1', kind: 'Deployment', name, uid, controller: true, blockOwnerDeletion: true };
}

function deploymentStatus({ metadata, spec }: Deployment, paused: boolean): object {
  const replicas = spec?.replicas ?? 0;
  const available = Math.min(replicas, Number(metadata.annotations?.[availableKey] ?? replicas));
  const isDone = available === replicas;
  const conditions = [
    { type: 'Available', status: isDone ? 'True' : 'False', reason: 'Fake', message: '' },
    {
      type: 'Progressing',
      status: paused ? 'Unknown' : 'True',
      reason: paused ? 'DeploymentPaused' : isDone ? 'NewReplicaSetAvailable' : 'ReplicaSetUpdated',
      message: '',
    },
  ];
  const counts = { replicas, updatedReplicas: replicas, readyReplicas: available, availableReplicas: available };
  return { observedGeneration: metadata.generation, ...counts, conditions };
}

const completeJobs: Controller<Job> = {
  name: 'complete-jobs',
  primary: jobs,
  inputs: [],
  outputs: [jobs],
  reconcile: async (key, world, signal) => {
    const object = world.primary.get(key);
    if (object === undefined || object.status?.completionTime !== undefined) return {};
    const time = object.metadata.creationTimestamp;
    const condition = (type: string): object => ({
      type,
      status: 'True',
      lastProbeTime: time,
      lastTransitionTime: time,
    });
    const conditions = [condition('SuccessCriteriaMet'), condition('Complete')];
    const status = { startTime: time, completionTime: time, succeeded: 1, conditions };
    await setStatus(world.client, jobs, key, object, status, signal);
    return {};
  },
};

const runPods: Controller<Pod> = {
  name: 'run-pods',
  primary: pods,
  inputs: [],
  outputs: [pods],
  reconcile: async (key, world, signal) => {
    const object = world.primary.get(key);
    if (object === undefined || object.metadata.deletionTimestamp !== undefined) return {};
    const isToRun = object.spec?.restartPolicy === 'Always';
    const ready = { type: 'Ready', status: isToRun ? 'True' : 'False' };
    const status = { phase: isToRun ? 'Running' : 'Succeeded', conditions: [ready] };
    await setStatus(world.client, pods, key, object, status, signal);
    return {};
  },
};

/** Writes the status when it is another one. */
async function setStatus<R extends Resource & { readonly status?: object }>(
  client: Client,
  kind: Parameters<typeof client.get<R>>[0],
  key: ObjectKey,
  object: R,
  status: object,
  signal: AbortSignal,
): Promise<void> {
  const differs = Object.entries(status).some(
    ([name, value]) =>
      JSON.stringify((object.status as Record<string, unknown> | undefined)?.[name]) !== JSON.stringify(value),
  );
  if (!differs) return;
  await client.patch(kind, key, { type: 'merge', body: { status } }, { subresource: 'status' }, signal);
}
