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

const handshakeKey = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const messageBytesMost = 1024 * 1024;
/** A normal end (section 7.4.1). */
const goodbye = Buffer.from([0x03, 0xe8]);

/** The first of `known` that a request asks for as its subprotocol; undefined: none. */
export function subprotocolOf(
  { headers }: Pick<WebSocketUpgrade, 'headers'>,
  known: readonly string[],
): string | undefined {
  const asked = textOf(headers['sec-websocket-protocol'])
    .split(',')
    .map((one) => one.trim());
  return known.find((one) => asked.includes(one));
}

/** The server's end of a WebSocket, for messages of bytes. */
export class WebSocket implements Disposable {
  readonly #socket: Duplex;
  readonly #head: Buffer;

  private constructor({ socket, head }: WebSocketUpgrade) {
    [this.#socket, this.#head] = [socket, head];
  }

  /** Answers the request. Throws InvalidArgument when it asks for none of the subprotocols. */
  static accept(upgrade: WebSocketUpgrade, known: readonly string[]): WebSocket {
    const protocol = subprotocolOf(upgrade, known);
    const key = textOf(upgrade.headers['sec-websocket-key']);
    if (protocol === undefined || key === '')
      throw new StatusError(
        'InvalidArgument',
        `Cannot open a stream: want a WebSocket with the subprotocol ${known.join(' or ')}; use a newer client`,
      );
    const accept = createHash('sha1')
      .update(key + handshakeKey)
      .digest('base64');
    upgrade.socket.write(
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
        `Sec-WebSocket-Accept: ${accept}\r\nSec-WebSocket-Protocol: ${protocol}\r\n\r\n`,
    );
    return new WebSocket(upgrade);
  }

  /** Resolves when more may be sent. */
  async send(parts: readonly Uint8Array[], signal: AbortSignal): Promise<void> {
    const socket = this.#socket;
    if (socket.destroyed || socket.writableEnded) return;
    if (!socket.write(encodeWebSocketFrame('binary', ...parts)))
      await Promise.race([once(socket, 'drain', { signal }), once(socket, 'close', { signal })]);
  }

  /** What the client sends, until it closes or goes. Throws what `WebSocketReader` throws. */
  async *messages(): AsyncGenerator<Buffer> {
    const reader = new WebSocketReader(messageBytesMost);
    for await (const piece of pieces(this.#head, this.#socket))
      for (const message of reader.push(piece)) {
        if (message.type === 'close') return;
        if (message.type === 'ping') this.#socket.write(encodeWebSocketFrame('pong', message.data));
        if (message.type === 'binary' || message.type === 'text') yield message.data;
      }
  }

  /** Says goodbye; what was sent before arrives. */
  [Symbol.dispose](): void {
    if (this.#socket.destroyed || this.#socket.writableEnded) return;
    this.#socket.end(encodeWebSocketFrame('close', goodbye));
  }
}

async function* pieces(head: Buffer, socket: Duplex): AsyncGenerator<Buffer> {
  yield head;
  for await (const piece of socket) yield piece as Buffer;
}

function textOf(value: string | readonly string[] | undefined): string {
  return typeof value === 'object' ? value.join(',') : (value ?? '');
}
