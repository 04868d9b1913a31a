import { once } from 'node:events';
import { Socket } from 'node:net';
import { createInflate, type Inflate } from 'node:zlib';

import { messageOf, StatusError } from '#base/errors.ts';
import type { Engine } from '#engine/engine.ts';
import { parseAddress } from '#formats/ip-address.ts';
import { headerDictionary } from '#formats/spdy/header-dictionary.ts';
import {
  encodeData,
  encodePing,
  encodeReply,
  encodeReset,
  readHeaders,
  type SpdyFrame,
  SpdyReader,
} from '#formats/spdy/spdy-frames.ts';
import { badRequest } from '#kube/status.ts';
import type { Pod } from '#kube/types/gen/core-v1.ts';
import { connectInetSocket } from '#sys/inet-socket.ts';
import { inNetns } from '#sys/netns.ts';

import { containerLabels } from '../container-spec.ts';
import { subprotocolOf, WebSocket, type WebSocketUpgrade } from './web-socket.ts';

/** A connection of SPDY/3.1 in the messages of a WebSocket (client-go, tools/portforward; KEP-4006). */
const protocols = ['SPDY/3.1+portforward.k8s.io'];
const cancel = 5;
/** Streams of one client at a time: two for each connection. */
const streamsMost = 2048;

/** Carries the connections of one client to ports of a pod, until the client goes. */
export type CarryPorts = (upgrade: WebSocketUpgrade, signal: AbortSignal) => Promise<void>;

/** Whether a request asks for ports in a way that we know. */
export function isPortForward(upgrade: Pick<WebSocketUpgrade, 'headers'>): boolean {
  return subprotocolOf(upgrade, protocols) !== undefined;
}

/** Throws BadRequest in upstream's words when the pod does not run. */
export function openPortForward({ sandboxes }: Pick<Engine, 'sandboxes'>, pod: Pod): CarryPorts {
  const { uid = '', name = '' } = pod.metadata;
  const sandbox = sandboxes.list().find(({ labels }) => labels[containerLabels.uid] === uid);
  if (sandbox === undefined)
    throw badRequest(`unable to forward port because pod is not running. Current status=${pod.status?.phase ?? ''}`);
  const { netnsPath } = sandbox.network;
  return async (upgrade, signal) => {
    using socket = WebSocket.accept(upgrade, protocols);
    await using connection = new PortConnection(socket, netnsPath, name, signal);
    const reader = new SpdyReader();
    for await (const message of socket.messages())
      for (const frame of reader.push(message)) if (!(await connection.take(frame))) return;
  };
}

interface Stream {
  readonly id: number;
  readonly kind: 'error' | 'data';
  readonly requestId: string;
  readonly port: number;
  socket: Socket | undefined;
}

class PortConnection implements AsyncDisposable {
  readonly #socket: WebSocket;
  readonly #netnsPath: string | undefined;
  readonly #podName: string;
  readonly #signal: AbortSignal;
  readonly #inflate: Inflate = createInflate({ dictionary: headerDictionary() });
  readonly #streams = new Map<number, Stream>();
  #unpacked: Buffer[] = [];
  #hasReplied = false;

  constructor(socket: WebSocket, netnsPath: string | undefined, podName: string, signal: AbortSignal) {
    [this.#socket, this.#netnsPath, this.#podName, this.#signal] = [socket, netnsPath, podName, signal];
    this.#inflate.on('data', (chunk: Buffer) => this.#unpacked.push(chunk));
    this.#inflate.on('error', () => {});
  }

  /** False when the client says that it goes. */
  async take(frame: SpdyFrame): Promise<boolean> {
    if (frame.type === 'goaway') return false;
    if (frame.type === 'ping') await this.#send(encodePing(frame.id));
    if (frame.type === 'syn-stream') await this.#open(frame);
    if (frame.type === 'reset') this.#end(frame.streamId);
    if (frame.type === 'data') await this.#receive(frame.streamId, frame.data, frame.isLast);
    return true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { socket } of this.#streams.values()) socket?.destroy();
    this.#inflate.destroy();
    await Promise.resolve();
  }

  async #open({ streamId, headers }: Extract<SpdyFrame, { type: 'syn-stream' }>): Promise<void> {
    const given = readHeaders(await this.#unpack(headers));
    const kind = given.get('streamtype');
    const port = Number(given.get('port'));
    const isGood = (kind === 'error' || kind === 'data') && Number.isInteger(port) && port > 0 && port < 65_536;
    if (!isGood || this.#streams.size >= streamsMost) return this.#send(encodeReset(streamId, cancel));
    const stream: Stream = { id: streamId, kind, requestId: given.get('requestid') ?? '', port, socket: undefined };
    this.#streams.set(streamId, stream);
    await this.#send(encodeReply(streamId, !this.#hasReplied));
    this.#hasReplied = true;
    if (kind === 'data') this.#connect(stream);
  }

  /** The blocks of headers are pieces of one packed stream. */
  async #unpack(block: Buffer): Promise<Buffer> {
    this.#unpacked = [];
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#inflate.once('error', reject);
    this.#inflate.write(block, () => resolve());
    await promise.catch((error: unknown) => {
      throw new StatusError(
        'InvalidArgument',
        'Cannot read from the SPDY connection: headers are not packed as they should',
        {
          cause: error,
        },
      );
    });
    this.#inflate.off('error', reject);
    return Buffer.concat(this.#unpacked);
  }

  #connect(stream: Stream): void {
    let socket: Socket;
    try {
      const open = (): number => connectInetSocket('tcp', loopback(), stream.port).fd;
      const fd = this.#netnsPath === undefined ? open() : inNetns(this.#netnsPath, open);
      socket = new Socket({ fd, allowHalfOpen: true });
    } catch (error) {
      void this.#fail(stream, error);
      return;
    }
    stream.socket = socket;
    let failure: unknown;
    socket.on('error', (error) => (failure = error));
    const done = (async () => {
      for await (const chunk of socket) await this.#send(encodeData(stream.id, chunk as Buffer, false));
    })();
    done
      .then(
        async () => this.#finish(stream),
        async (error: unknown) => this.#fail(stream, failure ?? error),
      )
      .catch(() => {});
  }

  async #receive(streamId: number, data: Buffer, isLast: boolean): Promise<void> {
    const socket = this.#streams.get(streamId)?.socket;
    if (socket === undefined || socket.destroyed) return;
    if (data.length > 0 && !socket.write(data))
      await Promise.race([
        once(socket, 'drain', { signal: this.#signal }),
        once(socket, 'close', { signal: this.#signal }),
      ]).catch(() => {});
    if (isLast) socket.end();
  }

  /** The pod has said all: so is the client told, on both streams. */
  async #finish(stream: Stream): Promise<void> {
    await this.#send(encodeData(stream.id, Buffer.alloc(0), true));
    await this.#closeError(stream, Buffer.alloc(0));
  }

  async #fail(stream: Stream, error: unknown): Promise<void> {
    const what = `error forwarding port ${String(stream.port)} to pod ${this.#podName}: ${messageOf(error)}`;
    await this.#closeError(stream, Buffer.from(what));
    await this.#send(encodeReset(stream.id, cancel));
    this.#end(stream.id);
  }

  async #closeError({ requestId, id }: Stream, text: Buffer): Promise<void> {
    const other = [...this.#streams.values()].find((one) => one.kind === 'error' && one.requestId === requestId);
    if (other !== undefined) {
      await this.#send(encodeData(other.id, text, true));
      this.#streams.delete(other.id);
    }
    if (text.length === 0) this.#streams.delete(id);
  }

  #end(streamId: number): void {
    this.#streams.get(streamId)?.socket?.destroy();
    this.#streams.delete(streamId);
  }

  async #send(frame: Buffer): Promise<void> {
    await this.#socket.send([frame], this.#signal);
  }
}

function loopback(): NonNullable<ReturnType<typeof parseAddress>> {
  const address = parseAddress('127.0.0.1');
  if (address === undefined) throw new Error('invariant broken: loopback has an address');
  return address;
}
