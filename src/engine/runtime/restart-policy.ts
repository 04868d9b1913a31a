import type { RestartPolicy } from './container.ts';

const firstDelayMs = 100;
const longestDelayMs = 60_000;
/** A run as long as this shows that the program works: the delay begins anew. */
const healthyRunMs = 10_000;

export interface ExitFacts {
  readonly policy: RestartPolicy;
  readonly exitCode: number;
  /** The user stopped or killed it. */
  readonly manuallyStopped: boolean;
  /** Restarts by the policy since the user last started it. */
  readonly restartCount: number;
  readonly ranMs: number;
  /** Delay before the last restart; 0 when there was none. */
  readonly lastDelayMs: number;
}

/** Milliseconds after which the container is to be restarted; undefined: it stays as it is. */
export function restartDelayMs(exit: ExitFacts): number | undefined {
  if (exit.manuallyStopped || !wantsRestart(exit)) return undefined;
  if (exit.lastDelayMs === 0 || exit.ranMs >= healthyRunMs) return firstDelayMs;
  return Math.min(exit.lastDelayMs * 2, longestDelayMs);
}

/**
 * Whether a container that does not run is to be started when the daemon starts: `always` even when the user stopped
 * it, `unless-stopped` and `on-failure` not then. One that never ran is left alone.
 */
export function startsWithDaemon(exit: Omit<ExitFacts, 'ranMs' | 'lastDelayMs'>): boolean {
  if (exit.policy.name === 'always') return true;
  return !exit.manuallyStopped && wantsRestart(exit);
}

function wantsRestart({ policy, exitCode, restartCount }: Omit<ExitFacts, 'ranMs' | 'lastDelayMs'>): boolean {
  switch (policy.name) {
    case 'always':
    case 'unless-stopped':
      return true;
    case 'on-failure':
      return exitCode !== 0 && (policy.maximumRetryCount === 0 || restartCount < policy.maximumRetryCount);
    default:
      return false;
  }
}
