import { Channel } from '#base/channel.ts';
import type { Attachment, OutputChunk } from '#engine/runtime/containers.ts';

const queuedChunks = 100_000;

/**
 * A process that a test plays. By itself it knows a few commands: `say TEXT`, `complain TEXT`, `code N`, `cat` (echoes its
 * input until it ends), `flood N` (that many pieces of 64 KiB) and `wait` (until it is killed).
 */
export class FakeProcess {
  readonly exit = Promise.withResolvers<number>();
  /** Everything that clients wrote to it. */
  readonly input: Buffer[] = [];
  readonly log: OutputChunk[] = [];
  inputEnded = false;
  size = { rows: 0, columns: 0 };
  readonly #args: readonly string[];
  readonly #clients = new Set<Channel<OutputChunk>>();
  #ended = false;

  constructor(args: readonly string[]) {
    this.#args = args;
  }

  start(): void {
    const [command, argument = ''] = this.#args;
    if (command === 'say') this.write('stdout', argument);
    if (command === 'complain') this.write('stderr', argument);
    if (command === 'flood') {
      for (let piece = 0; piece < Number(argument); piece += 1) this.write('stdout', Buffer.alloc(65_536, piece));
    }
    if (command === 'cat' && !this.inputEnded) return;
    if (command !== 'wait') this.end(command === 'code' ? Number(argument) : 0);
  }

  write(stream: OutputChunk['stream'], text: string | Uint8Array): void {
    const chunk = { stream, bytes: Buffer.from(text) };
    this.log.push(chunk);
    for (const client of this.#clients) client.push(chunk);
  }

  end(exitCode: number): void {
    if (this.#ended) return;
    this.#ended = true;
    for (const client of this.#clients) client.close();
    this.exit.resolve(exitCode);
  }

  attach(signal: AbortSignal): Attachment {
    const output = new Channel<OutputChunk>(queuedChunks);
    if (this.#ended) output.close();
    this.#clients.add(output);
    const leave = (): void => {
      this.#clients.delete(output);
      output.close();
    };
    signal.addEventListener('abort', leave, { once: true });
    return {
      output,
      write: async (bytes) => {
        this.input.push(Buffer.from(bytes));
        if (this.#args[0] === 'cat') this.write('stdout', bytes);
      },
      closeStdin: () => {
        this.inputEnded = true;
        if (this.#args[0] === 'cat') this.end(0);
      },
      [Symbol.asyncDispose]: async () => {
        signal.removeEventListener('abort', leave);
        leave();
      },
    };
  }

  get clients(): number {
    return this.#clients.size;
  }
}
