import { StatusError } from '#base/errors.ts';
import type { Ulimit } from '../container.ts';
import type { RuntimeRlimit } from './runtime-spec.ts';

const names = new Set([
  'as',
  'core',
  'cpu',
  'data',
  'fsize',
  'locks',
  'memlock',
  'msgqueue',
  'nice',
  'nofile',
  'nproc',
  'rss',
  'rtprio',
  'rttime',
  'sigpending',
  'stack',
]);

/**
 * Resource limits for the runtime; Infinity stands for RLIM_INFINITY. `hardLimits` are what this daemon may set at most: a
 * limit above is lowered to it, as the runtime would fail on it with "operation not permitted"; `ulimitWarnings` says so.
 */
export function resolveUlimits(
  ulimits: readonly Ulimit[],
  hardLimits: Readonly<Record<string, number>>,
): readonly RuntimeRlimit[] {
  return ulimits.map((ulimit) => {
    if (!names.has(ulimit.name)) throw new StatusError('InvalidArgument', `invalid ulimit type: ${ulimit.name}`);
    const soft = ulimit.soft < 0 ? Infinity : ulimit.soft;
    const hard = ulimit.hard < 0 ? Infinity : ulimit.hard;
    if (soft > hard) {
      throw new StatusError(
        'InvalidArgument',
        `ulimit soft limit must be less than or equal to hard limit: ${ulimit.name}=${String(ulimit.soft)}:${String(ulimit.hard)}`,
      );
    }
    const most = hardLimits[ulimit.name] ?? Infinity;
    return { type: `RLIMIT_${ulimit.name.toUpperCase()}`, soft: Math.min(soft, most), hard: Math.min(hard, most) };
  });
}

/** A sentence for each limit that will be lower than what was asked for. */
export function ulimitWarnings(
  ulimits: readonly Ulimit[],
  hardLimits: Readonly<Record<string, number>>,
): readonly string[] {
  return ulimits.flatMap(({ name, hard }) => {
    const most = hardLimits[name] ?? Infinity;
    const wanted = hard < 0 ? Infinity : hard;
    if (wanted <= most) return [];
    return [
      `The ulimit ${name} is ${shown(most)} instead of ${shown(wanted)}: the daemon runs with that hard limit and may not raise it.`,
    ];
  });
}

function shown(value: number): string {
  return value === Infinity ? 'unlimited' : String(value);
}
