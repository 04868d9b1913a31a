import { spawn, type ChildProcess } from 'node:child_process';

import { eventually } from '../../kit/eventually.ts';

/** A command of a script that runs beside the following ones; what it prints is read by lines, in order. */
export class BackgroundCommand implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  #text = '';
  #readLines = 0;

  constructor(command: string, options: { readonly cwd: string; readonly env: Readonly<Record<string, string>> }) {
    this.#child = spawn('bash', ['-c', `exec 2>&1\n${command}`], {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      stdio: ['ignore', 'pipe', 'ignore'],
      // A group of its own, so that what it started ends with it.
      detached: true,
    });
    this.#child.stdout?.on('data', (chunk: Buffer) => (this.#text += chunk.toString()));
    this.#ended = new Promise((resolve) => this.#child.once('close', () => resolve()));
  }

  /** Waits for the next lines; throws with what there is when they do not come. */
  async lines(count: number): Promise<string> {
    const end = this.#readLines + count;
    const printed = (): string[] => this.#text.split('\n').slice(0, -1);
    await eventually(`${String(count)} more lines`, () => printed().length >= end).catch((error: unknown) => {
      throw new Error(`it printed only:\n${this.#text}`, { cause: error });
    });
    const next = printed().slice(this.#readLines, end);
    this.#readLines = end;
    return next.join('\n');
  }

  /** Waits for its end: the rest of what it printed, and its exit code. */
  async rest(): Promise<{ readonly text: string; readonly code: number }> {
    await eventually('it ends', () => this.#child.exitCode !== null).catch((error: unknown) => {
      throw new Error(`it still runs, and printed:\n${this.#text}`, { cause: error });
    });
    await this.#ended;
    return { text: this.#text.split('\n').slice(this.#readLines).join('\n'), code: this.#child.exitCode ?? 0 };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.pid !== undefined) process.kill(-this.#child.pid, 'SIGKILL');
    await this.#ended;
  }
}
