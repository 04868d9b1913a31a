import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

import { StatusError } from '#base/errors.ts';

export interface ProgramRun {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Absolute; `/` without it. */
  readonly cwd?: string;
  /** Of the files that it makes; this process's own without it. */
  readonly umask?: number;
  readonly onLine: (line: string) => void;
}

const setprivPath = '/usr/bin/setpriv';
const lastLinesMost = 8;
const lineCharsMost = 300;
/** Namespaces of its own, so that no mount and no process outlives it, nor it this process. */
const confinement = ['--pdeathsig', 'KILL', 'unshare', '--mount', '--pid', '--fork', '--kill-child'];

/**
 * Runs a program of the distribution to its end, in mount and process namespaces of its own that vanish with it. Throws
 * Unavailable with its last lines when it fails. An abort kills it, and is thrown when all its processes are gone.
 */
export async function runProgram(
  { args, env, cwd = '/', umask, onLine }: ProgramRun,
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted();
  const child = spawn(setprivPath, [...confinement, ...masked(args, umask)], {
    env,
    cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const last: string[] = [];
  const listen = (line: string): void => {
    last.push(line.slice(0, lineCharsMost));
    if (last.length > lastLinesMost) last.shift();
    onLine(line);
  };
  createInterface(child.stdout).on('line', listen);
  createInterface(child.stderr).on('line', listen);
  const kill = (): void => void child.kill('SIGKILL');
  signal.addEventListener('abort', kill, { once: true });
  try {
    // "close" comes when the last process that holds the pipes is gone, which "exit" does not wait for.
    const code = await new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve));
    signal.throwIfAborted();
    if (code === 0) return;
    const name = args.find((arg) => !arg.startsWith('-')) ?? '';
    const text = `Cannot run ${name}: it ended with ${code === null ? 'a signal' : `code ${String(code)}`}`;
    throw new StatusError('Unavailable', `${text}; its last words: ${last.join(' | ')}`);
  } finally {
    signal.removeEventListener('abort', kill);
  }
}

function masked(args: readonly string[], umask: number | undefined): readonly string[] {
  return umask === undefined ? args : ['/bin/sh', '-c', `umask ${umask.toString(8)}; exec "$@"`, 'sh', ...args];
}
