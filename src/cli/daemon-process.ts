import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, fstatSync, mkdirSync, openSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';

import type { StatusReport } from '#app/control-protocol.ts';
import type { InstancePaths } from '#app/instance-paths.ts';
import { deadline, sleep } from '#base/clock.ts';
import { reasons, StatusError } from '#base/errors.ts';
import { isObject } from '#base/json.ts';
import { isAlive, type ProcessIdentity } from '#sys/process.ts';

import type { ControlClient } from './control-client.ts';
import { readLog } from './log-reader.ts';

const healthyWithinMs = 120_000;
const lookEveryMs = 20;
const linesShown = 20;
const shim = join(import.meta.dirname, '../../bin/slipway');

/**
 * Starts the daemon in a session of its own and waits until it is healthy. Of two that start at once one wins, and both
 * wait for it. Throws Unavailable with the end of its log when it dies, Timeout when it is not healthy in two minutes.
 */
export async function startDaemon(
  paths: InstancePaths,
  flags: readonly string[],
  client: ControlClient,
  signal: AbortSignal,
): Promise<StatusReport> {
  mkdirSync(dirname(paths.logFile), { recursive: true, mode: 0o750 });
  const log = openSync(paths.logFile, 'a', 0o640);
  const logStart = fstatSync(log).size;
  const sets = flags.flatMap((flag) => ['--set', flag]);
  const args = ['--disable-warning=ExperimentalWarning', shim, '--root', paths.root, 'daemon', '--log-file', ...sets];
  const child = spawn(process.execPath, args, { cwd: '/', detached: true, stdio: ['ignore', log, log] });
  closeSync(log);
  child.unref();
  const exit = exitOf(child);
  const limit = deadline(healthyWithinMs, signal);
  try {
    for (;;) {
      await sleep(lookEveryMs, limit);
      const report = await client.status(limit);
      if (report?.state === 'healthy' || report?.state === 'degraded') return report;
      // Another daemon has the lock: whoever started it, we wait for the same.
      if (exit.code === undefined || exit.code === reasons.Conflict.exitCode) continue;
      const end = logTail(paths.logFile, logStart);
      throw new StatusError(
        'Unavailable',
        `Cannot start slipway: the daemon ended with code ${String(exit.code)}\n${end}`,
      );
    }
  } catch (error) {
    if (!limit.aborted || signal.aborted) throw error;
    const end = logTail(paths.logFile, logStart);
    throw new StatusError('Timeout', `Cannot start slipway: not healthy after two minutes; see slipway logs\n${end}`);
  }
}

/** Waits until a process is gone, whosever child it was. Throws Timeout. */
export async function waitUntilGone(daemon: ProcessIdentity, withinMs: number, signal: AbortSignal): Promise<void> {
  const limit = deadline(withinMs, signal);
  while (isAlive(daemon)) {
    await sleep(lookEveryMs, limit).catch((error: unknown) => {
      if (signal.aborted) throw error;
      throw new StatusError(
        'Timeout',
        `Cannot stop slipway: process ${String(daemon.pid)} does not end; see slipway logs`,
      );
    });
  }
}

/** The exit code as it becomes known; a signal's number above 128. */
function exitOf(child: ChildProcess): { code: number | undefined } {
  const exit: { code: number | undefined } = { code: undefined };
  child.once('exit', (code, signal) => (exit.code = code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
  child.once('error', () => (exit.code = 127));
  return exit;
}

/** The last lines since an offset, those in JSON made readable. */
function logTail(path: string, offset: number): string {
  const lines = (readLog(path, offset)?.text ?? '').trimEnd().split('\n').slice(-linesShown);
  return lines.map((line) => `  ${readable(line)}`).join('\n');
}

function readable(line: string): string {
  if (!line.startsWith('{')) return line;
  try {
    const entry: unknown = JSON.parse(line);
    if (!isObject(entry)) return line;
    const { time: _time, level, message, ...rest } = entry;
    const fields = Object.entries(rest).map(
      ([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
    );
    return [level, message, ...fields].map(String).join(' ');
  } catch {
    return line;
  }
}
