import { spawn } from 'node:child_process';
import { constants } from 'node:os';

import { deadline } from '#base/clock.ts';

export interface CommandOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Sent to stdin, which is closed then; without it stdin is empty. */
  readonly stdin?: string | Uint8Array | AsyncIterable<Uint8Array>;
  /** The command is killed after as long; generous, since machines are slow. */
  readonly timeoutMs?: number;
}

export interface CommandResult {
  /** Exit code; 128 and more for a signal. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const timeoutMs = 120_000;
const outputBytesMost = 64 * 1024 * 1024;

/** Runs a program to its end and never throws for what it says. */
export async function command(
  file: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const child = spawn(file, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: 'pipe',
    signal: deadline(options.timeoutMs ?? timeoutMs),
    killSignal: 'SIGKILL',
  });
  const ended = new Promise<number>((resolve, reject) => {
    child.once('close', (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
    child.once('error', (error) => reject(new Error(`${file} ${args.join(' ')}: ${error.message}`, { cause: error })));
  });
  const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)];
  // A program may end without reading all of its input.
  child.stdin.on('error', () => {});
  feed(child.stdin, options.stdin ?? '').catch(() => {});
  const code = await ended;
  return { code, stdout: stdout(), stderr: stderr() };
}

/** Runs a program that must succeed; returns what it printed, without the last newline. */
export async function commandOutput(file: string, args: readonly string[], options?: CommandOptions): Promise<string> {
  const { code, stdout, stderr } = await command(file, args, options);
  if (code !== 0) throw new Error(`${[file, ...args].join(' ')} ended with ${String(code)}\n${stderr}${stdout}`);
  return stdout.trimEnd();
}

async function feed(stdin: NodeJS.WritableStream, input: NonNullable<CommandOptions['stdin']>): Promise<void> {
  if (typeof input === 'string' || input instanceof Uint8Array) {
    stdin.end(input);
    return;
  }
  for await (const chunk of input) {
    if (!stdin.write(chunk)) await new Promise((resolve) => stdin.once('drain', resolve).once('close', resolve));
  }
  stdin.end();
}

function collect(stream: NodeJS.ReadableStream): () => string {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  stream.on('data', (chunk: Buffer) => {
    sizeBytes += chunk.length;
    if (sizeBytes <= outputBytesMost) chunks.push(chunk);
  });
  return () => Buffer.concat(chunks).toString();
}
