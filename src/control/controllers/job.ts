import { isEqualJson } from '#base/json.ts';
import { StatusError } from '#base/errors.ts';
import { keyOf, kindOf, type ObjectKey } from '#kube/client/client.ts';
import { job as jobKind } from '#kube/kinds/batch/job.ts';
import { pod } from '#kube/kinds/core/pod.ts';
import { matchesLabels, selectionOf } from '#kube/selectors/label-selector.ts';
import type { Job, JobCondition } from '#kube/types/gen/batch-v1.ts';
import type { Pod } from '#kube/types/gen/core-v1.ts';

import { type Controller, ownedBy, type Outcome, type World } from '../controller.ts';
import { podOf, trackingFinalizer } from './job-pod.ts';
import { statusOfTally } from './job-tally.ts';
import { type JobPlan, planJob, type Verdict } from './plan-job.ts';
import { events, type EventText, recordEvent, timeText } from './record-event.ts';

export const jobs = kindOf<Job>(jobKind);
const pods = kindOf<Pod>(pod);
const component = 'job-controller';
const ourName = 'kubernetes.io/job-controller';

/** Runs pods until as many of them have succeeded as a job asks for. */
export const jobController: Controller<Job> = {
  name: 'job',
  primary: jobs,
  inputs: [ownedBy(jobs, pods)],
  outputs: [jobs, pods, events],
  reconcile,
};

async function reconcile(key: ObjectKey, world: World<Job>, signal: AbortSignal): Promise<Outcome> {
  const seen = world.primary.get(key);
  if (seen === undefined || seen.metadata.deletionTimestamp !== undefined) {
    await releaseOrphans(key, world, signal);
    return {};
  }
  if ((seen.spec?.managedBy ?? ourName) !== ourName) return {};
  const all = world.informer(pods).list(key.namespace);
  let job = seen;
  let plan = planJob(job, podsOf(job, all), world.nowMs());
  if (jobIsFinished(job)) {
    await release(plan.tally.release, world, signal);
    return {};
  }
  if (plan.create.length > 0) {
    // What is in memory may be older than pods that were just made: ask, so that none is made twice.
    job = await world.client.get(jobs, key, signal);
    const labels = Object.entries(job.spec?.selector?.matchLabels ?? {}).map(([name, value]) => `${name}=${value}`);
    const { items } = await world.client.list(
      pods,
      { namespace: key.namespace, labelSelector: labels.join(',') },
      signal,
    );
    plan = planJob(job, podsOf(job, items), world.nowMs());
  }
  await carryOut(job, plan, world, signal);
  return plan.againAfterMs === undefined ? {} : { againAfterMs: plan.againAfterMs };
}

async function carryOut(job: Job, plan: JobPlan, world: World<Job>, signal: AbortSignal): Promise<void> {
  const { client } = world;
  const nowMs = world.nowMs();
  const tell = async (text: EventText): Promise<void> => recordEvent(client, component, job, text, nowMs, signal);
  await inGroups(plan.remove, async (one) => {
    const { uid } = one.metadata;
    await client
      .delete(pods, keyOf(one), uid === undefined ? {} : { preconditions: { uid } }, signal)
      .catch(ifNotFound);
    await tell({ type: 'Normal', reason: 'SuccessfulDelete', message: `Deleted pod: ${one.metadata.name ?? ''}` });
  });
  const { status, texts } = nextStatus(job, plan, nowMs);
  const isChanged = !isEqualJson(withoutUndefined(job.status ?? {}), withoutUndefined(status));
  if (isChanged) await client.update(jobs, { ...job, status }, { subresource: 'status' }, signal);
  for (const text of texts) await tell(text);
  await release(plan.tally.release, world, signal);
  await inGroups(plan.create, async (order) => {
    const made = podOf(job, order);
    try {
      await client.create(pods, made, {}, signal);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      await tell({ type: 'Warning', reason: 'FailedCreate', message: `Error creating: ${why}` });
      throw error;
    }
    await tell({ type: 'Normal', reason: 'SuccessfulCreate', message: `Created pod: ${made.metadata.name ?? ''}` });
  });
}

/** The status that a plan leads to, and what is to be told of it. */
function nextStatus(job: Job, plan: JobPlan, nowMs: number): { status: object; texts: readonly EventText[] } {
  const { spec, status = {} } = job;
  const { verdict, tally } = plan;
  const time = timeText(nowMs);
  const texts: EventText[] = [];
  let conditions = status.conditions ?? [];
  const set = (type: string, is: 'True' | 'False', reason: string, message: string): void => {
    const made = { type, status: is, lastProbeTime: time, lastTransitionTime: time, reason, message };
    if (conditions.some((one) => one.type === type && one.status === is)) return;
    conditions = [...conditions.filter((one) => one.type !== type), made];
  };
  const fields: Record<string, unknown> = { ...status, ...statusOfTally(tally, job) };
  if (verdict !== undefined) {
    set(verdict.type === 'Failed' ? 'FailureTarget' : 'SuccessCriteriaMet', 'True', verdict.reason, verdict.message);
    const isQuiet = tally.active.length === 0 && tally.terminating === 0 && tally.release.length === 0;
    const isCounted = tally.uncounted.succeeded.length + tally.uncounted.failed.length === 0;
    if (isQuiet && isCounted) {
      set(verdict.type, 'True', verdict.reason, verdict.message);
      if (verdict.type === 'Complete') fields['completionTime'] = time;
      texts.push(endText(verdict));
    }
  } else if (spec?.suspend === true) {
    if (!isSuspended(conditions)) texts.push({ type: 'Normal', reason: 'Suspended', message: 'Job suspended' });
    set('Suspended', 'True', 'JobSuspended', 'Job suspended');
    delete fields['startTime'];
  } else {
    if (isSuspended(conditions)) {
      set('Suspended', 'False', 'JobResumed', 'Job resumed');
      texts.push({ type: 'Normal', reason: 'Resumed', message: 'Job resumed' });
    }
    fields['startTime'] = status.startTime ?? time;
  }
  return { status: { ...fields, ...(conditions.length === 0 ? {} : { conditions }) }, texts };
}

function endText({ type, reason, message }: Verdict): EventText {
  if (type === 'Failed') return { type: 'Warning', reason, message };
  return { type: 'Normal', reason: 'Completed', message: 'Job completed' };
}

function isSuspended(conditions: readonly JobCondition[]): boolean {
  return conditions.some(({ type, status }) => type === 'Suspended' && status === 'True');
}

/** Whether it has ended, for good or not. */
export function jobIsFinished({ status }: Job): JobCondition | undefined {
  return status?.conditions?.find(
    ({ type, status: is }) => (type === 'Complete' || type === 'Failed') && is === 'True',
  );
}

function podsOf(job: Job, all: readonly Pod[]): Pod[] {
  const selection = selectionOf(job.spec?.selector) ?? 'nothing';
  return all.filter(
    ({ metadata }) =>
      metadata.ownerReferences?.some(({ uid, controller }) => controller === true && uid === job.metadata.uid) ===
        true && matchesLabels(selection, metadata.labels),
  );
}

/** Pods of a job that is gone or goes have nobody any more who counts them. */
async function releaseOrphans(key: ObjectKey, world: World<Job>, signal: AbortSignal): Promise<void> {
  const orphans = world
    .informer(pods)
    .list(key.namespace)
    .filter(({ metadata }) =>
      metadata.ownerReferences?.some(
        ({ kind, name, controller }) => controller === true && kind === 'Job' && name === key.name,
      ),
    );
  await release(orphans, world, signal);
}

async function release(some: readonly Pod[], { client }: World<Job>, signal: AbortSignal): Promise<void> {
  await inGroups(some, async ({ metadata }) => {
    const { finalizers = [], resourceVersion, name = '', namespace = '' } = metadata;
    if (!finalizers.includes(trackingFinalizer)) return;
    const left = finalizers.filter((one) => one !== trackingFinalizer);
    const body = { metadata: { resourceVersion, finalizers: left } };
    await client.patch(pods, { namespace, name }, { type: 'merge', body }, {}, signal).catch(ifNotFound);
  });
}

const groupSize = 16;

async function inGroups<T>(all: readonly T[], work: (one: T) => Promise<void>): Promise<void> {
  for (let at = 0; at < all.length; at += groupSize) await Promise.all(all.slice(at, at + groupSize).map(work));
}

function ifNotFound(error: unknown): undefined {
  if (error instanceof StatusError && error.reason === 'NotFound') return undefined;
  throw error;
}

function withoutUndefined(value: object): unknown {
  return JSON.parse(JSON.stringify(value));
}
