import type { ContainerRun } from './pod-now.ts';

const firstMs = 10_000;
const mostMs = 300_000;
/** Who has run as long starts anew. */
const forgivenMs = 600_000;

/** How long a container that has ended waits before it is started again: the first time not at all. */
export function backoffMs({ attempt, startedAt, finishedAt }: ContainerRun): number {
  const ranMs = Date.parse(finishedAt) - Date.parse(startedAt);
  if (attempt === 0 || ranMs >= forgivenMs) return 0;
  return Math.min(firstMs * 2 ** (attempt - 1), mostMs);
}

/** Milliseconds since the epoch from which on it may be started again. */
export function backoffEndMs(run: ContainerRun): number {
  return Date.parse(run.finishedAt) + backoffMs(run);
}
