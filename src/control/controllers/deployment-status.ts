import type { Deployment, DeploymentCondition, DeploymentStatus, ReplicaSet } from '#kube/types/gen/apps-v1.ts';

import { replicaLimits, sumOf } from './deployment-rollout.ts';
import { timeText } from './record-event.ts';
import { withoutZeros } from './without-zeros.ts';

/** What `progressDeadlineSeconds` and others mean by `never`. */
const endless = 2 ** 31 - 1;
/** Lest a look at the deadline comes a moment too early. */
const slackMs = 1000;

export interface Rollout {
  readonly current: ReplicaSet | undefined;
  readonly old: readonly ReplicaSet[];
  /** Whether the set of today was just made. */
  readonly isNew?: boolean;
  /** Whether only the number of replicas changes: how a rollout gets on is not judged then. */
  readonly isScaling: boolean;
}

/** The status that follows from the sets, and how the rollout gets on. */
export function deploymentStatus(deployment: Deployment, rollout: Rollout, nowMs: number): DeploymentStatus {
  const { current, old, isScaling } = rollout;
  const all = current === undefined ? old : [...old, current];
  const { replicas, maxUnavailable } = replicaLimits(deployment);
  const sum = (of: (set: ReplicaSet) => number | undefined): number =>
    all.reduce((total, set) => total + (of(set) ?? 0), 0);
  const available = sum(({ status }) => status?.availableReplicas);
  const counts = withoutZeros({
    observedGeneration: deployment.metadata.generation ?? 0,
    replicas: sum(({ status }) => status?.replicas),
    updatedReplicas: current?.status?.replicas ?? 0,
    readyReplicas: sum(({ status }) => status?.readyReplicas),
    availableReplicas: available,
    unavailableReplicas: Math.max(sumOf(all) - available, 0),
    collisionCount: deployment.status?.collisionCount ?? 0,
  });
  const conditions = new Conditions(deployment.status?.conditions ?? [], nowMs);
  if (hasDeadline(deployment)) notePause(deployment, conditions);
  if (current !== undefined && hasDeadline(deployment)) noteSet(current, rollout, conditions);
  if (available >= replicas - maxUnavailable)
    conditions.set('Available', 'True', 'MinimumReplicasAvailable', 'Deployment has minimum availability.');
  else
    conditions.set(
      'Available',
      'False',
      'MinimumReplicasUnavailable',
      'Deployment does not have minimum availability.',
    );
  if (!isScaling) noteProgress(deployment, current, counts, conditions);
  if (!isScaling) noteFailures(all, current, conditions);
  return { ...counts, conditions: [...conditions.all] };
}

/** Whether all is of today's template, and available. */
export function isComplete({ metadata, spec }: Deployment, status: DeploymentStatus = {}): boolean {
  const replicas = spec?.replicas ?? 1;
  return (
    (status.updatedReplicas ?? 0) === replicas &&
    (status.replicas ?? 0) === replicas &&
    (status.availableReplicas ?? 0) === replicas &&
    (status.observedGeneration ?? 0) >= (metadata.generation ?? 0)
  );
}

/** Milliseconds until the deadline of a rollout that gets on no further. */
export function deadlineMs(deployment: Deployment, status: DeploymentStatus, nowMs: number): number | undefined {
  const progressing = status.conditions?.find(({ type }) => type === 'Progressing');
  if (progressing === undefined || !hasDeadline(deployment) || deployment.spec?.paused === true) return undefined;
  if (isComplete(deployment, status) || progressing.reason === 'ProgressDeadlineExceeded') return undefined;
  return Math.max(endOf(deployment, progressing) - nowMs, 0) + slackMs;
}

function notePause({ spec, status }: Deployment, conditions: Conditions): void {
  const reason = status?.conditions?.find(({ type }) => type === 'Progressing')?.reason;
  if (reason === 'ProgressDeadlineExceeded') return;
  if (spec?.paused === true) conditions.set('Progressing', 'Unknown', 'DeploymentPaused', 'Deployment is paused');
  else if (reason === 'DeploymentPaused')
    conditions.set('Progressing', 'Unknown', 'DeploymentResumed', 'Deployment is resumed');
}

function noteSet({ metadata }: ReplicaSet, { isNew }: Rollout, conditions: Conditions): void {
  const name = `"${metadata.name ?? ''}"`;
  if (isNew === true) conditions.set('Progressing', 'True', 'NewReplicaSetCreated', `Created new replica set ${name}`);
  else if (conditions.get('Progressing') === undefined)
    conditions.set('Progressing', 'True', 'FoundNewReplicaSet', `Found new replica set ${name}`);
}

function noteProgress(
  deployment: Deployment,
  current: ReplicaSet | undefined,
  status: DeploymentStatus,
  conditions: Conditions,
): void {
  if (!hasDeadline(deployment)) return conditions.remove('Progressing');
  const before = conditions.get('Progressing');
  const isDone =
    (status.replicas ?? 0) === (status.updatedReplicas ?? 0) && before?.reason === 'NewReplicaSetAvailable';
  if (isDone) return;
  const what =
    current === undefined
      ? `Deployment "${deployment.metadata.name ?? ''}"`
      : `ReplicaSet "${current.metadata.name ?? ''}"`;
  if (isComplete(deployment, status))
    conditions.set('Progressing', 'True', 'NewReplicaSetAvailable', `${what} has successfully progressed.`);
  else if (hasProgressed(deployment.status ?? {}, status))
    conditions.renew('Progressing', 'True', 'ReplicaSetUpdated', `${what} is progressing.`);
  else if (before !== undefined && hasTimedOut(deployment, before, conditions.nowMs))
    conditions.set('Progressing', 'False', 'ProgressDeadlineExceeded', `${what} has timed out progressing.`);
}

function hasProgressed(before: DeploymentStatus, now: DeploymentStatus): boolean {
  const oldPods = ({ replicas = 0, updatedReplicas = 0 }: DeploymentStatus): number => replicas - updatedReplicas;
  return (
    (now.updatedReplicas ?? 0) > (before.updatedReplicas ?? 0) ||
    oldPods(now) < oldPods(before) ||
    (now.readyReplicas ?? 0) > (before.readyReplicas ?? 0) ||
    (now.availableReplicas ?? 0) > (before.availableReplicas ?? 0)
  );
}

function hasTimedOut(deployment: Deployment, progressing: DeploymentCondition, nowMs: number): boolean {
  if (progressing.reason === 'NewReplicaSetAvailable') return false;
  return progressing.reason === 'ProgressDeadlineExceeded' || endOf(deployment, progressing) < nowMs;
}

function endOf({ spec }: Deployment, { lastUpdateTime }: DeploymentCondition): number {
  return (Date.parse(lastUpdateTime ?? '') || 0) + (spec?.progressDeadlineSeconds ?? endless) * 1000;
}

function hasDeadline({ spec }: Deployment): boolean {
  return (spec?.progressDeadlineSeconds ?? endless) !== endless;
}

/** Why pods of a set cannot be made is told of the deployment; that of today's set before others. */
function noteFailures(all: readonly ReplicaSet[], current: ReplicaSet | undefined, conditions: Conditions): void {
  const failureOf = (set: ReplicaSet | undefined): DeploymentCondition | undefined =>
    set?.status?.conditions?.find(({ type }) => type === 'ReplicaFailure');
  const failure = failureOf(current) ?? all.map(failureOf).find((one) => one !== undefined);
  if (failure === undefined) return conditions.remove('ReplicaFailure');
  const { status = '', reason = '', message = '', lastTransitionTime } = failure;
  conditions.set('ReplicaFailure', status, reason, message, lastTransitionTime);
}

class Conditions {
  readonly nowMs: number;
  all: readonly DeploymentCondition[];

  constructor(all: readonly DeploymentCondition[], nowMs: number) {
    this.all = all;
    this.nowMs = nowMs;
  }

  get(type: string): DeploymentCondition | undefined {
    return this.all.find((one) => one.type === type);
  }

  /** Leaves one that says the same, whatever its words. */
  set(type: string, status: string, reason: string, message: string, time = timeText(this.nowMs)): void {
    const before = this.get(type);
    if (before?.status !== status || before.reason !== reason) this.renew(type, status, reason, message, time);
  }

  renew(type: string, status: string, reason: string, message: string, time = timeText(this.nowMs)): void {
    const before = this.get(type);
    const lastTransitionTime = before?.status === status ? (before.lastTransitionTime ?? time) : time;
    const made = { type, status, lastUpdateTime: time, lastTransitionTime, reason, message };
    this.all = [...this.all.filter((one) => one.type !== type), made];
  }

  remove(type: string): void {
    this.all = this.all.filter((one) => one.type !== type);
  }
}
