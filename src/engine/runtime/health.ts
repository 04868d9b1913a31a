import { deadline, nowMs, nowNs, sleep } from '#base/clock.ts';
import type { HealthcheckConfig } from '#formats/oci.ts';
import { identify, kill } from '#sys/process.ts';

import type { ContainerHealth } from './container.ts';
import type { ExecSpec } from './containers.ts';
import { createExec, startExec } from './execs.ts';
import { eventAttributes, type LiveContainer } from './live-container.ts';
import type { Room } from './room.ts';
import { formatTime, timeMs } from './timestamps.ts';

/** Docker's defaults, milliseconds. */
const defaults = { intervalMs: 30_000, timeoutMs: 30_000, startPeriodMs: 0, startIntervalMs: 5_000, retries: 3 };
const nsPerMs = 1_000_000;
const resultsKept = 5;
const outputBytesKept = 4096;

type Probe = ContainerHealth['log'][number];

/**
 * Probes a running container as its health check says, until the run ends; `live.health` has what was found. Calls back
 * whenever it turned unhealthy.
 */
export function watchHealth(room: Room, live: LiveContainer, onUnhealthy: () => void): void {
  const check = live.record.spec.healthcheck;
  const args = probeArgs(check);
  if (check === undefined || args === undefined || live.run === undefined) return;
  live.health = { status: 'starting', failingStreak: 0, log: [] };
  const stop = new AbortController();
  live.run.defer(() => stop.abort());
  const signal = AbortSignal.any([stop.signal, room.signal]);
  const onProbe = (health: ContainerHealth): void => {
    const before = live.health?.status;
    live.health = health;
    if (before === health.status) return;
    room.events.publish('container', `health_status: ${health.status}`, live.id, eventAttributes(live.record));
    if (health.status === 'unhealthy') onUnhealthy();
  };
  watch(room, live, { check, args, onProbe }, signal).catch((error: unknown) => {
    if (!signal.aborted) room.logger.error('health check ended', { container: live.id, error });
  });
}

interface Watched {
  readonly check: HealthcheckConfig;
  readonly args: readonly string[];
  readonly onProbe: (health: ContainerHealth) => void;
}

async function watch(
  room: Room,
  live: LiveContainer,
  { check, args, onProbe }: Watched,
  signal: AbortSignal,
): Promise<void> {
  const startPeriodMs = orDefault(check.StartPeriod, defaults.startPeriodMs);
  // From the container's start on, also when another daemon has begun to probe it.
  const startsUntilMs = timeMs(live.record.state.startedAt) + startPeriodMs;
  const isStarting = (): boolean => live.health?.status === 'starting' && nowMs() < startsUntilMs;
  const timeoutMs = orDefault(check.Timeout, defaults.timeoutMs);
  for (;;) {
    const intervalMs = isStarting()
      ? orDefault(check.StartInterval, defaults.startIntervalMs)
      : orDefault(check.Interval, defaults.intervalMs);
    await sleep(intervalMs, signal);
    if (live.record.state.status !== 'running') continue;
    const isExcused = isStarting();
    const probe = await runProbe(room, live, args, timeoutMs, signal);
    signal.throwIfAborted();
    onProbe(nextHealth(live.health, probe, check.Retries || defaults.retries, isExcused));
  }
}

/** What is known after one more probe. Failures in the start period are excused. Pure. */
export function nextHealth(
  health: ContainerHealth | undefined,
  probe: Probe,
  retries: number,
  isExcused: boolean,
): ContainerHealth {
  const log = [...(health?.log ?? []), probe].slice(-resultsKept);
  if (probe.exitCode === 0) return { status: 'healthy', failingStreak: 0, log };
  if (isExcused) return { status: 'starting', failingStreak: 0, log };
  const failingStreak = (health?.failingStreak ?? 0) + 1;
  const status = failingStreak >= retries ? 'unhealthy' : (health?.status ?? 'starting');
  return { status, failingStreak, log };
}

/** Never throws for what the probe does: that is its result. */
async function runProbe(
  room: Room,
  live: LiveContainer,
  args: readonly string[],
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Probe> {
  const start = formatTime(nowNs());
  const limit = deadline(timeoutMs, signal);
  const result = (exitCode: number, output: string): Probe => ({ start, end: formatTime(nowNs()), exitCode, output });
  try {
    const exec = createExec(room, live, probeSpec(args));
    const found = room.table.findExec(exec.id);
    if (found === undefined) return result(-1, 'the container is gone');
    await using attachment = await startExec(room, live, found.exec, { detach: false });
    const output = collect(attachment.output);
    const exitCode = await Promise.race([
      found.exec.ended.promise,
      sleep(timeoutMs, limit).then(
        () => undefined,
        () => undefined,
      ),
    ]);
    if (exitCode !== undefined) return result(exitCode, (await output).toString());
    const identity = identify(found.exec.value.pid);
    if (identity !== undefined) kill(identity, 'SIGKILL');
    return result(-1, `Health check exceeded timeout (${String(timeoutMs / 1000)}s)`);
  } catch (error) {
    return result(-1, error instanceof Error ? error.message : String(error));
  }
}

async function collect(output: AsyncIterable<{ readonly bytes: Uint8Array }>): Promise<Buffer> {
  let kept = Buffer.alloc(0);
  for await (const { bytes } of output)
    if (kept.length < outputBytesKept) kept = Buffer.concat([kept, bytes]).subarray(0, outputBytesKept);
  return kept;
}

function probeSpec(args: readonly string[]): ExecSpec {
  return { args, env: [], cwd: '', user: '', tty: false, attachStdin: false, privileged: false };
}

/** The command of a health check; undefined when there is none (`NONE`, or nothing said). */
function probeArgs(check: HealthcheckConfig | undefined): readonly string[] | undefined {
  const [kind, ...rest] = check?.Test ?? [];
  if (kind === 'CMD') return rest;
  return kind === 'CMD-SHELL' ? ['/bin/sh', '-c', ...rest] : undefined;
}

function orDefault(durationNs: number | undefined, defaultMs: number): number {
  return durationNs === undefined || durationNs === 0 ? defaultMs : durationNs / nsPerMs;
}
