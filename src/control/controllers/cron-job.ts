import { isEqualJson } from '#base/json.ts';
import { messageOf, StatusError } from '#base/errors.ts';
import { keyOf, kindOf, type ObjectKey } from '#kube/client/client.ts';
import { cronJob as cronJobKind } from '#kube/kinds/batch/cron-job.ts';
import { ApiError } from '#kube/status.ts';
import type { CronJob, Job } from '#kube/types/gen/batch-v1.ts';

import { type Controller, ownedBy, type Outcome, type World } from '../controller.ts';
import { jobIsFinished, jobs } from './job.ts';
import { type CronPlan, planCronJob } from './plan-cron-job.ts';
import { events, type EventText, recordEvent, timeText } from './record-event.ts';

const cronJobs = kindOf<CronJob>(cronJobKind);
const component = 'cronjob-controller';
const timeAnnotation = 'batch.kubernetes.io/cronjob-scheduled-timestamp';
const missedMost = 100;

/** Starts jobs when their schedules say so. The name of a job is that of its time, so that none starts twice. */
export const cronJobController: Controller<CronJob> = {
  name: 'cronjob',
  primary: cronJobs,
  inputs: [ownedBy(cronJobs, jobs)],
  outputs: [cronJobs, jobs, events],
  reconcile,
};

async function reconcile(key: ObjectKey, world: World<CronJob>, signal: AbortSignal): Promise<Outcome> {
  const one = world.primary.get(key);
  if (one === undefined || one.metadata.deletionTimestamp !== undefined) return {};
  const turn = new Turn(one, world, signal);
  const owned = world
    .informer(jobs)
    .list(key.namespace)
    .filter(({ metadata }) => metadata.ownerReferences?.some(({ uid }) => uid === one.metadata.uid) === true);
  await turn.clean(owned);
  await turn.noteEnds(owned);
  const againAfterMs = await turn.start(owned);
  await turn.writeStatus();
  return againAfterMs === undefined ? {} : { againAfterMs };
}

/** One look at a CronJob. */
class Turn {
  readonly #one: CronJob;
  readonly #world: World<CronJob>;
  readonly #signal: AbortSignal;
  #status: NonNullable<CronJob['status']>;

  constructor(one: CronJob, world: World<CronJob>, signal: AbortSignal) {
    this.#one = one;
    this.#world = world;
    this.#signal = signal;
    this.#status = { ...one.status };
  }

  /** Takes jobs that have ended off the list of active ones, and puts those on it that are missing there. */
  async noteEnds(owned: readonly Job[]): Promise<void> {
    const listed = this.#status.active ?? [];
    for (const job of owned) {
      const ended = jobIsFinished(job);
      const isListed = listed.some(({ uid }) => uid === job.metadata.uid);
      if (ended !== undefined && isListed) {
        const text = `Saw completed job: ${job.metadata.name ?? ''}, condition: ${ended.type ?? ''}`;
        await this.#tell('Normal', 'SawCompletedJob', text);
      }
      const time = ended?.type === 'Complete' ? job.status?.completionTime : undefined;
      if (time !== undefined && time > (this.#status.lastSuccessfulTime ?? '')) this.#status.lastSuccessfulTime = time;
    }
    const running = owned.filter((job) => jobIsFinished(job) === undefined);
    for (const { name, uid } of listed)
      if (!owned.some(({ metadata }) => metadata.uid === uid) && this.#isOld())
        await this.#tell('Normal', 'MissingJob', `Active job went missing: ${name ?? ''}`);
    this.#setActive(running);
  }

  /** Starts what is due; milliseconds until the next time. */
  async start(owned: readonly Job[]): Promise<number | undefined> {
    const { spec = {} } = this.#one;
    if (spec.suspend === true) return undefined;
    const nowMs = this.#world.nowMs();
    let plan: CronPlan;
    try {
      plan = planCronJob(this.#one, nowMs);
    } catch (error) {
      if (!(error instanceof StatusError)) throw error;
      await this.#tell(
        'Warning',
        'UnparseableSchedule',
        `unparseable schedule: ${spec.schedule ?? ''} : ${messageOf(error)}`,
      );
      return undefined;
    }
    const { dueMs, nextMs, missed } = plan;
    const wait = nextMs === undefined ? undefined : nextMs - nowMs + 100;
    if (dueMs === undefined) return wait;
    if (missed > missedMost && spec.startingDeadlineSeconds === undefined)
      await this.#tell(
        'Warning',
        'TooManyMissedTimes',
        'too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew',
      );
    const running = owned.filter((job) => jobIsFinished(job) === undefined);
    if (spec.concurrencyPolicy === 'Forbid' && running.length > 0) {
      await this.#tell(
        'Normal',
        'JobAlreadyActive',
        'Not starting job because prior execution is running and concurrency policy is Forbid',
      );
      return wait;
    }
    if (spec.concurrencyPolicy === 'Replace') {
      for (const job of running) await this.#remove(job);
      this.#setActive([]);
    }
    await this.#create(dueMs);
    return wait;
  }

  async writeStatus(): Promise<void> {
    if (isEqualJson(this.#one.status ?? {}, this.#status)) return;
    const next = { ...this.#one, status: this.#status };
    await this.#world.client.update(cronJobs, next, { subresource: 'status' }, this.#signal);
  }

  /** Deletes the oldest jobs that have ended, beyond what is to be kept of each sort. */
  async clean(owned: readonly Job[]): Promise<void> {
    const { successfulJobsHistoryLimit, failedJobsHistoryLimit } = this.#one.spec ?? {};
    const limits = [
      ['Complete', successfulJobsHistoryLimit],
      ['Failed', failedJobsHistoryLimit],
    ] as const;
    for (const [type, limit] of limits) {
      if (limit === undefined) continue;
      const ended = owned
        .filter((job) => jobIsFinished(job)?.type === type)
        .toSorted((one, other) => startOf(one).localeCompare(startOf(other)));
      for (const job of ended.slice(0, Math.max(ended.length - limit, 0))) await this.#remove(job);
    }
  }

  async #create(dueMs: number): Promise<void> {
    const { client } = this.#world;
    const made = jobFor(this.#one, dueMs);
    try {
      const job = await client.create(jobs, made, {}, this.#signal);
      await this.#tell('Normal', 'SuccessfulCreate', `Created job ${job.metadata.name ?? ''}`);
      this.#status = { ...this.#status, active: [...(this.#status.active ?? []), referenceTo(job)] };
    } catch (error) {
      const isThere = error instanceof ApiError && error.statusReason === 'AlreadyExists';
      if (!isThere) await this.#tell('Warning', 'FailedCreate', `Error creating job: ${messageOf(error)}`);
      if (!isThere) throw error;
    }
    this.#status = { ...this.#status, lastScheduleTime: timeText(dueMs) };
  }

  async #remove(job: Job): Promise<void> {
    if (job.metadata.deletionTimestamp !== undefined) return;
    await this.#world.client.delete(jobs, keyOf(job), { propagationPolicy: 'Background' }, this.#signal);
    await this.#tell('Normal', 'SuccessfulDelete', `Deleted job ${job.metadata.name ?? ''}`);
  }

  #setActive(running: readonly Job[]): void {
    const { active: _, ...rest } = this.#status;
    this.#status = running.length === 0 ? rest : { ...rest, active: running.map(referenceTo) };
  }

  /** A job that was just made may not be seen yet. */
  #isOld(): boolean {
    return this.#world.nowMs() - (Date.parse(this.#status.lastScheduleTime ?? '') || 0) > 60_000;
  }

  async #tell(type: EventText['type'], reason: string, message: string): Promise<void> {
    const { client } = this.#world;
    await recordEvent(client, component, this.#one, { type, reason, message }, this.#world.nowMs(), this.#signal);
  }
}

function jobFor({ metadata, spec = {} }: CronJob, dueMs: number): Job {
  const { name = '', namespace = '', uid = '' } = metadata;
  const template = spec.jobTemplate ?? {};
  const ownerReferences = [
    { apiVersion: 'batch/v1', kind: 'CronJob', name, uid, controller: true, blockOwnerDeletion: true },
  ];
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      ...(template.metadata?.labels === undefined ? {} : { labels: template.metadata.labels }),
      annotations: { ...template.metadata?.annotations, [timeAnnotation]: timeText(dueMs) },
      name: `${name}-${String(Math.floor(dueMs / 60_000))}`,
      namespace,
      ownerReferences,
    },
    spec: template.spec ?? {},
  };
}

function referenceTo({ metadata }: Job) {
  const { name = '', namespace = '', uid = '', resourceVersion = '' } = metadata;
  return { apiVersion: 'batch/v1', kind: 'Job', name, namespace, uid, resourceVersion };
}

function startOf({ status, metadata }: Job): string {
  return `${status?.startTime ?? ''} ${metadata.name ?? ''}`;
}
