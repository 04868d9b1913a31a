import { spawn, type ChildProcess } from 'node:child_process';
import { dirname, join } from 'node:path';

import { after, monotonicMs } from '#base/clock.ts';
import { hasCode } from '#sys/errno.ts';

/** One command of a check or test run. */
export interface Part {
  readonly name: string;
  /** Arguments for Node.js. */
  readonly args: readonly string[];
  /** It is ended, and has failed, when it takes longer: a hang must not hide. */
  readonly limitMs: number;
}

export interface PartResult {
  readonly name: string;
  readonly ok: boolean;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

export const repository = dirname(import.meta.dirname);

/** How long a part that was told to end may take before it is killed. */
const endGraceMs = 20_000;
/** A shell's exit code for a command that ended by SIGINT. */
const interruptedExitCode = 130;

/** Path of a file in node_modules. */
export function tool(path: string): string {
  return join(repository, 'node_modules', path);
}

/** Runs it and prints one line at its end, after its output when it failed. Interrupts end it, and this process with it. */
export async function runPart(part: Part): Promise<PartResult> {
  const startMs = monotonicMs();
  const child = spawn(process.execPath, part.args, {
    cwd: repository,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, PATH: `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}` },
    detached: true,
  });
  const output: Buffer[] = [];
  child.stdout.on('data', (bytes: Buffer) => output.push(bytes));
  child.stderr.on('data', (bytes: Buffer) => output.push(bytes));
  const { code, late } = await endOf(child, part.limitMs);
  const text = Buffer.concat(output).toString();
  const ok = code === 0 && !late;
  if (!ok) process.stdout.write(`${text.trimEnd()}\n`);
  if (late) process.stdout.write(`${part.name} was ended after ${String(part.limitMs / 1000)} s: something hangs\n`);
  const result = {
    name: part.name,
    ok,
    passed: count(text, 'pass'),
    // The runner calls those cancelled that took longer than its own limit.
    failed: count(text, 'fail') + count(text, 'cancelled'),
    skipped: count(text, 'skipped'),
  };
  const seconds = ((monotonicMs() - startMs) / 1000).toFixed(1);
  const tests = result.passed + result.failed === 0 ? '' : `  ${countsLine(result)}`;
  process.stdout.write(`${ok ? 'ok    ' : 'FAILED'}  ${part.name.padEnd(6)}  ${seconds} s${tests}\n`);
  return result;
}

/** `12 passed, 0 failed`, and `, 1 skipped` when there are any. */
export function countsLine({ passed, failed, skipped }: Omit<PartResult, 'name' | 'ok'>): string {
  const line = `${String(passed)} passed, ${String(failed)} failed`;
  return skipped === 0 ? line : `${line}, ${String(skipped)} skipped`;
}

async function endOf(child: ChildProcess, limitMs: number): Promise<{ code: number | null; late: boolean }> {
  using owned = new DisposableStack();
  let late = false;
  let interrupted = false;
  const end = (): void => {
    // SIGTERM to the leader alone: node's test runner names the tests that still run, and ends its own children.
    child.kill('SIGTERM');
    owned.use(after(endGraceMs, () => killGroup(child)));
  };
  owned.use(
    after(limitMs, () => {
      late = true;
      end();
    }),
  );
  const interrupt = (): void => {
    interrupted = true;
    end();
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, interrupt);
    owned.defer(() => process.off(signal, interrupt));
  }
  const code = await new Promise<number | null>((resolve) => {
    child.once('close', resolve);
    child.once('error', () => resolve(null));
  });
  if (interrupted) process.exit(interruptedExitCode);
  return { code, late };
}

/** Kills all of its group, and waits for the output of none that left the group. */
function killGroup(child: ChildProcess): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  } catch (error) {
    if (!hasCode(error, 'ESRCH')) throw error;
  }
  child.stdout?.destroy();
  child.stderr?.destroy();
}

/** A number of node's test summary; 0 when it printed none. */
function count(text: string, word: string): number {
  return Number(new RegExp(`^ℹ ${word} (\\d+)$`, 'm').exec(text)?.[1] ?? 0);
}
