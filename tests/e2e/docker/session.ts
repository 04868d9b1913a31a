import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';

import { eventually } from '../../kit/eventually.ts';
import type { Instance } from '../../kit/instance.ts';
import { toolPath } from '../../kit/tools.ts';

/** A docker client that runs while a test talks to it. Disposing kills it. */
export class Session implements AsyncDisposable {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #ended: Promise<number>;
  #output = '';

  private constructor(file: string, args: readonly string[], env: Readonly<Record<string, string>>) {
    // A group of its own: older clients leave their plugins behind when they are killed.
    this.#child = spawn(file, args, { env: { ...process.env, ...env }, stdio: 'pipe', detached: true });
    this.#ended = new Promise((resolve) => {
      this.#child.once('close', (code, signal) => resolve(code ?? (signal === null ? 128 : 137)));
    });
    this.#child.stdin.on('error', () => {});
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        this.#output += chunk.toString();
      });
    }
  }

  static docker(instance: Instance, ...args: readonly string[]): Session {
    return new Session(toolPath('docker'), args, instance.dockerEnv());
  }

  /** The same with a terminal of its own, by script(1). */
  static terminal(instance: Instance, ...args: readonly string[]): Session {
    const quoted = [toolPath('docker'), ...args].map((arg) => `'${arg.replaceAll("'", `'\\''`)}'`).join(' ');
    return new Session(toolPath('script'), ['-qec', quoted, '/dev/null'], { ...instance.dockerEnv(), TERM: 'xterm' });
  }

  /** Everything that it has said so far, on both streams. */
  get output(): string {
    return this.#output;
  }

  async expect(pattern: RegExp): Promise<string> {
    return await eventually(
      `${String(pattern)} in ${JSON.stringify(this.#output)}`,
      () => pattern.exec(this.#output)?.[0],
    );
  }

  send(text: string): void {
    this.#child.stdin.write(text);
  }

  endInput(): void {
    this.#child.stdin.end();
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** The exit code, when it has ended by itself. */
  async end(): Promise<number> {
    const code = await eventually('the client ends', async () => {
      const still = Symbol('still');
      const first = await Promise.race([this.#ended, Promise.resolve(still)]);
      return typeof first === 'number' ? { code: first } : undefined;
    });
    return code.code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { pid } = this.#child;
    try {
      if (pid !== undefined) process.kill(-pid, 'SIGKILL');
    } catch {
      // All of it has ended.
    }
    await this.#ended;
  }
}
