import type { Socket } from 'node:net';

import { connectSeqpacket } from '#sys/seqpacket.ts';

import type { Attachment, OutputChunk } from './containers.ts';
import { OutputQueue } from './output-queue.ts';

/** conmon reads at most 32 KiB per packet and would cut a longer one. */
const packetBytes = 16 * 1024;
/** conmon's first byte of a packet. */
const pipes: Readonly<Record<number, OutputChunk['stream']>> = { 2: 'stdout', 3: 'stderr' };

export interface HubOptions {
  /** Close the process's stdin when the first attachment with stdin leaves or sends no more. */
  readonly closeStdinOnce: boolean;
}

/**
 * Shares one connection to a conmon among attachments: all get the output, those with stdin may write. A slow attachment
 * holds the process back, as a full pipe does; what is held in memory has a bound per attachment. Attachments made before
 * the process starts see all its output.
 */
export class StreamHub {
  readonly #options: HubOptions;
  readonly #queues = new Set<OutputQueue>();
  readonly #connected = Promise.withResolvers<Socket | undefined>();
  readonly #ended = Promise.withResolvers<void>();
  #socket: Socket | undefined;
  #over = false;
  #stdinClosed = false;
  /** Writes are one packet each, one after the other: Node would join packets that wait. */
  #writing: Promise<void> = Promise.resolve();

  constructor(options: HubOptions) {
    this.#options = options;
  }

  /** Whether anybody listens. */
  get isUsed(): boolean {
    return this.#queues.size > 0;
  }

  get isConnected(): boolean {
    return this.#socket !== undefined;
  }

  /** Resolves when no more output will come and readers were given all of it but what waits in their queues. */
  get closed(): Promise<void> {
    return this.#ended.promise;
  }

  /** Resolves when all output was handed to the attachments' readers, or nobody reads any more. */
  get delivered(): Promise<void> {
    return this.#ended.promise.then(async () => {
      await Promise.all([...this.#queues].map((queue) => queue.drained));
    });
  }

  /** Connects to the process's attach socket; throws SystemError when nobody listens there. */
  connect(path: string): void {
    const socket = connectSeqpacket(path);
    this.#socket = socket;
    socket.on('data', (packet: Buffer) => this.#deliver(packet));
    socket.on('end', () => this.finish());
    socket.on('error', () => this.finish());
    socket.on('close', () => this.finish());
    this.#connected.resolve(socket);
  }

  attach(options: { readonly stdin: boolean }): Attachment {
    const queue = new OutputQueue(() => this.#adjustFlow());
    if (this.#over) queue.end();
    else this.#queues.add(queue);
    let open = options.stdin;
    const closeStdin = (): void => {
      if (!open) return;
      open = false;
      if (this.#options.closeStdinOnce) this.#closeStdin();
    };
    return {
      output: queue,
      write: async (bytes) => {
        if (open) await this.#write(bytes);
      },
      closeStdin,
      [Symbol.asyncDispose]: async () => {
        closeStdin();
        queue.abandon();
        this.#queues.delete(queue);
        this.#adjustFlow();
      },
    };
  }

  /** Gives readers a line of our own, as if the process had written it to stdout. */
  say(text: string): void {
    const chunk: OutputChunk = { stream: 'stdout', bytes: Buffer.from(text) };
    for (const queue of this.#queues) queue.push(chunk);
  }

  /** No more output will come: attachments end after what they have. */
  finish(): void {
    if (this.#over) return;
    this.#over = true;
    this.#connected.resolve(undefined);
    this.#socket?.destroy();
    for (const queue of this.#queues) queue.end();
    this.#ended.resolve();
  }

  #deliver(packet: Buffer): void {
    const stream = pipes[packet[0] ?? 0];
    if (stream === undefined || packet.length < 2) return;
    const chunk: OutputChunk = { stream, bytes: packet.subarray(1) };
    for (const queue of this.#queues) queue.push(chunk);
    this.#adjustFlow();
  }

  #adjustFlow(): void {
    const full = [...this.#queues].some((queue) => queue.isFull);
    if (full) this.#socket?.pause();
    else if (this.#socket?.isPaused() === true) this.#socket.resume();
  }

  #write(bytes: Uint8Array): Promise<void> {
    // The bytes are the caller's again when this resolves, not before.
    this.#writing = this.#writing.then(async () => {
      for (let at = 0; at < bytes.length && !this.#over; at += packetBytes) {
        await this.#writePacket(bytes.subarray(at, at + packetBytes));
      }
    });
    return this.#writing;
  }

  async #writePacket(packet: Uint8Array): Promise<void> {
    const socket = await this.#connected.promise;
    if (socket === undefined || this.#stdinClosed || this.#over) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    // A process that reads no more, or is gone, is no error of the writer.
    socket.write(packet, () => resolve());
    await Promise.race([promise, this.#ended.promise]);
  }

  #closeStdin(): void {
    this.#writing = this.#writing.then(async () => {
      const socket = await this.#connected.promise;
      if (socket === undefined || this.#stdinClosed) return;
      this.#stdinClosed = true;
      socket.end();
    });
  }
}
