import { unreachable } from '#base/assert.ts';
import type { ContainerState } from '#engine/runtime/container.ts';

import { humanDuration } from '../text/human-duration.ts';

/** The words of `docker ps` for a container's state: `Up 5 minutes (healthy)`, `Exited (0) 2 hours ago`. */
export function containerStatus(state: ContainerState, nowMs: number): string {
  const up = humanDuration(secondsSince(state.startedAt, nowMs));
  const ago = `${humanDuration(secondsSince(state.finishedAt, nowMs))} ago`;
  const exit = `(${String(state.exitCode)})`;
  switch (state.status) {
    case 'running':
      return `Up ${up}${healthSuffix(state)}`;
    case 'paused':
      return `Up ${up} (Paused)`;
    case 'restarting':
      return `Restarting ${exit} ${ago}`;
    case 'removing':
      return 'Removal In Progress';
    case 'created':
      return 'Created';
    case 'dead':
      return 'Dead';
    case 'exited':
      return `Exited ${exit} ${ago}`;
    default:
      return unreachable(state.status);
  }
}

function healthSuffix({ health }: ContainerState): string {
  if (health === undefined) return '';
  return health.status === 'starting' ? ' (health: starting)' : ` (${health.status})`;
}

function secondsSince(time: string, nowMs: number): number {
  return Math.max(0, (nowMs - Date.parse(time)) / 1000);
}
