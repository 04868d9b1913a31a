import type { Socket } from 'node:net';

import { hasCode } from '#sys/errno.ts';
import type { AdoptedSocket } from '#sys/adopted-socket.ts';
import { isAccepted } from '#sys/netlink/unix-accept.ts';
import { connectSeqpacket } from '#sys/seqpacket.ts';

import type { Attachment, OutputChunk } from './containers.ts';
import { OutputQueue } from './output-queue.ts';
import { comesTrue } from './waiting.ts';

/** conmon reads at most 32 KiB per packet and would cut a longer one. */
const packetBytes = 16 * 1024;
/** conmon's first byte of a packet. */
const pipes: Readonly<Record<number, OutputChunk['stream']>> = { 2: 'stdout', 3: 'stderr' };

const lookAgainMs = 1;
const acceptMs = 10_000;

export interface HubOptions {
  /** Close the process's stdin when the first attachment with stdin leaves or sends no more. */
  readonly closeStdinOnce: boolean;
}

/**
 * Shares one connection to a conmon among attachments: all get the output, those with stdin may write. A slow attachment
 * holds the process back, as a full pipe does; what is held in memory has a bound per attachment. Attachments made before
 * the process starts see all its output. While nobody is attached there is no connection, and the output of the process
 * does not depend on this one.
 */
export class StreamHub {
  readonly #options: HubOptions;
  readonly #queues = new Set<OutputQueue>();
  readonly #served = Promise.withResolvers<void>();
  readonly #ended = Promise.withResolvers<void>();
  #path: string | undefined;
  #socket: Socket | undefined;
  /** Of the socket, while there is one. */
  #fd = -1;
  #over = false;
  #stdinClosed = false;
  /** Writes are one packet each, one after the other: Node would join packets that wait. */
  #writing: Promise<void> = Promise.resolve();

  constructor(options: HubOptions) {
    this.#options = options;
  }

  get isConnected(): boolean {
    return this.#socket !== undefined;
  }

  /** Resolves when no more output will come and everybody who is attached has it, or left. */
  get delivered(): Promise<void> {
    return this.#ended.promise.then(async () => {
      await Promise.all([...this.#queues].map((queue) => queue.drained));
    });
  }

  /** The process has an attach socket now: whoever is attached, or comes later, is connected to it. */
  serve(path: string): void {
    if (this.#over) return;
    this.#path = path;
    if (this.#queues.size > 0) this.#connect();
    this.#served.resolve();
  }

  /**
   * Resolves when conmon has taken the connection, if there is one. A process may begin only then: a conmon that comes late
   * to its connections, since its process is over already, gives the output to the log alone.
   */
  async accepted(): Promise<void> {
    const isSure = (): boolean => this.#socket === undefined || this.#over || isAccepted(this.#fd);
    await comesTrue(isSure, lookAgainMs, acceptMs);
  }

  attach(options: { readonly stdin: boolean }): Attachment {
    const queue = new OutputQueue(() => this.#adjustFlow());
    if (this.#over) queue.end();
    else this.#queues.add(queue);
    if (this.#path !== undefined && this.#socket === undefined) this.#connect();
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
        if (this.#queues.size === 0) this.#disconnect();
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
    this.#served.resolve();
    this.#socket?.destroy();
    for (const queue of this.#queues) queue.end();
    this.#ended.resolve();
  }

  #connect(): void {
    if (this.#path === undefined || this.#over) return;
    let adopted: AdoptedSocket;
    try {
      adopted = connectSeqpacket(this.#path);
    } catch (error) {
      if (!hasCode(error, 'ENOENT', 'ECONNREFUSED')) throw error;
      // The process is gone already.
      this.finish();
      return;
    }
    const { socket } = adopted;
    this.#socket = socket;
    this.#fd = adopted.fd;
    const onEnd = (): void => {
      if (this.#socket === socket) this.finish();
    };
    socket.on('data', (packet: Buffer) => this.#deliver(packet));
    socket.on('end', onEnd);
    socket.on('error', onEnd);
    socket.on('close', onEnd);
  }

  /** A conmon closes the process's stdin when a client goes, unless it was told not to. */
  #disconnect(): void {
    if (this.#options.closeStdinOnce || this.#over) return;
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.destroy();
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
    await this.#served.promise;
    const socket = this.#socket;
    if (socket === undefined || this.#stdinClosed || this.#over) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    // A process that reads no more, or is gone, is no error of the writer.
    socket.write(packet, () => resolve());
    await Promise.race([promise, this.#ended.promise]);
  }

  #closeStdin(): void {
    this.#writing = this.#writing.then(async () => {
      await this.#served.promise;
      if (this.#stdinClosed) return;
      this.#stdinClosed = true;
      this.#socket?.end();
    });
  }
}
