import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';

import { after, monotonicMs } from '#base/clock.ts';

/** One command of a check or test run. */
export interface Part {
  readonly name: string;
  /** Arguments for Node.js. */
  readonly args: readonly string[];
  /** It is killed, and has failed, when it takes longer: a hang must not hide. */
  readonly limitMs: number;
  /** Show its output as it comes, not only when it fails. */
  readonly streams?: boolean;
}

export interface PartResult {
  readonly name: string;
  readonly ok: boolean;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

export const repository = dirname(import.meta.dirname);

/** Path of a file in node_modules. */
export function tool(path: string): string {
  return join(repository, 'node_modules', path);
}

/** Runs it and prints one line at its end, after its output when it failed. */
export async function runPart(part: Part): Promise<PartResult> {
  const startMs = monotonicMs();
  const child = spawn(process.execPath, part.args, {
    cwd: repository,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, PATH: `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}` },
    detached: true,
  });
  const output: Buffer[] = [];
  const take = (bytes: Buffer): void => {
    output.push(bytes);
    if (part.streams === true) process.stdout.write(bytes);
  };
  child.stdout.on('data', take);
  child.stderr.on('data', take);
  let late = false;
  using _limit = after(part.limitMs, () => {
    late = true;
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  });
  const code = await new Promise<number | null>((resolve) => {
    child.once('close', resolve);
    child.once('error', () => resolve(null));
  });
  const text = Buffer.concat(output).toString();
  const ok = code === 0 && !late;
  if (!ok && part.streams !== true) process.stdout.write(`${text.trimEnd()}\n`);
  if (late) process.stdout.write(`${part.name} was killed after ${String(part.limitMs / 1000)} s: something hangs\n`);
  const result = {
    name: part.name,
    ok,
    passed: count(text, 'pass'),
    failed: count(text, 'fail'),
    skipped: count(text, 'skipped'),
  };
  const tests =
    result.passed + result.failed === 0 ? '' : `  ${String(result.passed)} passed, ${String(result.failed)} failed`;
  const seconds = ((monotonicMs() - startMs) / 1000).toFixed(1);
  process.stdout.write(`${ok ? 'ok    ' : 'FAILED'}  ${part.name.padEnd(6)}  ${seconds} s${tests}\n`);
  return result;
}

/** A number of node's test summary; 0 when it printed none. */
function count(text: string, word: string): number {
  return Number(new RegExp(`^ℹ ${word} (\\d+)$`, 'm').exec(text)?.[1] ?? 0);
}
