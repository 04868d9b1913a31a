import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { Duplex } from 'node:stream';

import { StatusError } from '#base/errors.ts';
import { encodeWebSocketFrame, WebSocketReader } from '#formats/websocket/websocket-frames.ts';

/** What a client asked for by `Upgrade: websocket` (RFC 6455, section 4). */
export interface WebSocketUpgrade {
  readonly socket: Duplex;
  /** What was read of the connection after the request. */
  readonly head: Buffer;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}

/** Channels of kubectl's streams: the first byte of each message (apimachinery, remotecommand/websocket). */
export const channels = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4 } as const;
/** Version 5: this byte, and that of a channel, end the channel. */
const closing = 255;
/** In the order of our liking; only version 5 can end stdin. */
const protocols = ['v5.channel.k8s.io', 'v4.channel.k8s.io'];
const handshakeKey = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const messageBytesMost = 1024 * 1024;

export type ChannelMessage =
  | { readonly channel: number; readonly data: Buffer }
  /** The client sends no more on a channel. */
  | { readonly ended: number };

/** A WebSocket whose messages belong to channels. */
export class ChannelSocket implements Disposable {
  readonly #socket: Duplex;
  readonly #head: Buffer;

  private constructor({ socket, head }: WebSocketUpgrade) {
    [this.#socket, this.#head] = [socket, head];
  }

  /** Whether a request asks for channels that we know; without it nothing is answered yet. */
  static protocolOf({ headers }: Pick<WebSocketUpgrade, 'headers'>): string | undefined {
    const asked = textOf(headers['sec-websocket-protocol'])
      .split(',')
      .map((one) => one.trim());
    return protocols.find((one) => asked.includes(one));
  }

  /** Answers the request. Throws InvalidArgument when it asks for nothing that we know. */
  static accept(upgrade: WebSocketUpgrade): ChannelSocket {
    const protocol = ChannelSocket.protocolOf(upgrade);
    const key = textOf(upgrade.headers['sec-websocket-key']);
    if (protocol === undefined || key === '')
      throw new StatusError(
        'InvalidArgument',
        `Cannot open a stream: want a WebSocket with the subprotocol ${protocols.join(' or ')}; use a newer client`,
      );
    const accept = createHash('sha1')
      .update(key + handshakeKey)
      .digest('base64');
    upgrade.socket.write(
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
        `Sec-WebSocket-Accept: ${accept}\r\nSec-WebSocket-Protocol: ${protocol}\r\n\r\n`,
    );
    return new ChannelSocket(upgrade);
  }

  /** Resolves when more may be sent. */
  async send(channel: number, data: Uint8Array, signal: AbortSignal): Promise<void> {
    const socket = this.#socket;
    if (socket.destroyed || socket.writableEnded) return;
    if (!socket.write(encodeWebSocketFrame('binary', Buffer.from([channel]), data)))
      await Promise.race([once(socket, 'drain', { signal }), once(socket, 'close', { signal })]);
  }

  /** What the client sends, until it closes or goes. Throws what the WebSocket's reader throws. */
  async *messages(): AsyncGenerator<ChannelMessage> {
    const reader = new WebSocketReader(messageBytesMost);
    const pieces = (async function* (head: Buffer, socket: Duplex): AsyncGenerator<Buffer> {
      yield head;
      for await (const piece of socket) yield piece as Buffer;
    })(this.#head, this.#socket);
    for await (const piece of pieces)
      for (const message of reader.push(piece)) {
        if (message.type === 'close') return;
        if (message.type === 'ping') this.#socket.write(encodeWebSocketFrame('pong', message.data));
        if (message.type !== 'binary' && message.type !== 'text') continue;
        const [channel = 0, second = 0] = message.data;
        if (channel === closing) yield { ended: second };
        else if (message.data.length > 0) yield { channel, data: message.data.subarray(1) };
      }
  }

  /** Says goodbye; what was sent before arrives. */
  [Symbol.dispose](): void {
    if (this.#socket.destroyed || this.#socket.writableEnded) return;
    this.#socket.end(encodeWebSocketFrame('close', Buffer.from([0x03, 0xe8])));
  }
}

function textOf(value: string | readonly string[] | undefined): string {
  return typeof value === 'object' ? value.join(',') : (value ?? '');
}
