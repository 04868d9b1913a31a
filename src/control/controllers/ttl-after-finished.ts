import type { ObjectKey } from '#kube/client/client.ts';
import type { Job } from '#kube/types/gen/batch-v1.ts';

import type { Controller, Outcome, World } from '../controller.ts';
import { jobIsFinished, jobs } from './job.ts';

/** Deletes jobs a while after their end, when they say so. */
export const ttlAfterFinishedController: Controller<Job> = {
  name: 'ttl-after-finished',
  primary: jobs,
  inputs: [],
  outputs: [jobs],
  reconcile,
};

async function reconcile(key: ObjectKey, world: World<Job>, signal: AbortSignal): Promise<Outcome> {
  const job = world.primary.get(key);
  const ttl = job?.spec?.ttlSecondsAfterFinished;
  if (job === undefined || ttl === undefined || job.metadata.deletionTimestamp !== undefined) return {};
  const ended = jobIsFinished(job)?.lastTransitionTime;
  if (ended === undefined) return {};
  const leftMs = Date.parse(ended) + ttl * 1000 - world.nowMs();
  if (leftMs > 0) return { againAfterMs: leftMs };
  const { uid, resourceVersion } = job.metadata;
  const preconditions = {
    ...(uid === undefined ? {} : { uid }),
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
  };
  await world.client.delete(jobs, key, { propagationPolicy: 'Foreground', preconditions }, signal);
  return {};
}
