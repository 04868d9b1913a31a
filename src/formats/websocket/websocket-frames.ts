import { StatusError } from '#base/errors.ts';

/** A whole message, of which a client may have sent the parts in several frames (RFC 6455, section 5). */
export type WebSocketMessage =
  | { readonly type: 'text' | 'binary' | 'ping' | 'pong'; readonly data: Buffer }
  | { readonly type: 'close'; readonly code: number; readonly reason: string };

const opcodes = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;
const final = 0x80;
const masked = 0x80;
const reserved = 0x70;
const controlBytesMost = 125;
/** Code of a close frame without one (section 7.1.5). */
const noCode = 1005;

/** Reads the frames of a client, in pieces as they come. */
export class WebSocketReader {
  readonly #messageBytesMost: number;
  #pending: Buffer = Buffer.alloc(0);
  #parts: Buffer[] = [];
  #partsBytes = 0;
  #partsType: 'text' | 'binary' | undefined;

  constructor(messageBytesMost: number) {
    this.#messageBytesMost = messageBytesMost;
  }

  /** The messages that are complete with this piece. Throws InvalidArgument for what is against the protocol, or too large. */
  push(bytes: Buffer): readonly WebSocketMessage[] {
    this.#pending = this.#pending.length === 0 ? bytes : Buffer.concat([this.#pending, bytes]);
    const messages: WebSocketMessage[] = [];
    for (let frame = this.#next(); frame !== undefined; frame = this.#next()) {
      const message = this.#take(frame);
      if (message !== undefined) messages.push(message);
    }
    return messages;
  }

  #next(): Frame | undefined {
    const bytes = this.#pending;
    if (bytes.length < 2) return undefined;
    const [first = 0, second = 0] = bytes;
    if ((first & reserved) !== 0) throw broken('a frame uses an extension that was not agreed on');
    if ((second & masked) === 0) throw broken('a frame of a client is not masked');
    const short = second & 0x7f;
    const lengthBytes = short === 126 ? 2 : short === 127 ? 8 : 0;
    const headBytes = 2 + lengthBytes + 4;
    if (bytes.length < headBytes) return undefined;
    const length =
      lengthBytes === 0 ? short : lengthBytes === 2 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
    if (length > this.#messageBytesMost)
      throw broken(`a message has more than ${String(this.#messageBytesMost)} bytes`);
    if (bytes.length < headBytes + length) return undefined;
    const mask = bytes.subarray(headBytes - 4, headBytes);
    const data = Buffer.from(bytes.subarray(headBytes, headBytes + length));
    for (let index = 0; index < data.length; index += 1) data[index] = (data[index] ?? 0) ^ (mask[index % 4] ?? 0);
    this.#pending = bytes.subarray(headBytes + length);
    return { opcode: first & 0x0f, isFinal: (first & final) !== 0, data };
  }

  #take({ opcode, isFinal, data }: Frame): WebSocketMessage | undefined {
    if (opcode >= opcodes.close) return controlMessage(opcode, isFinal, data);
    if (opcode === opcodes.continuation && this.#partsType === undefined) throw broken('a continuation of nothing');
    if (opcode !== opcodes.continuation) {
      if (this.#partsType !== undefined) throw broken('a message begins within another');
      if (opcode !== opcodes.text && opcode !== opcodes.binary) throw broken(`a frame of type ${String(opcode)}`);
      this.#partsType = opcode === opcodes.text ? 'text' : 'binary';
    }
    this.#parts.push(data);
    this.#partsBytes += data.length;
    if (this.#partsBytes > this.#messageBytesMost)
      throw broken(`a message has more than ${String(this.#messageBytesMost)} bytes`);
    if (!isFinal) return undefined;
    const message = { type: this.#partsType ?? 'binary', data: Buffer.concat(this.#parts) };
    [this.#parts, this.#partsBytes, this.#partsType] = [[], 0, undefined];
    return message;
  }
}

interface Frame {
  readonly opcode: number;
  readonly isFinal: boolean;
  readonly data: Buffer;
}

function controlMessage(opcode: number, isFinal: boolean, data: Buffer): WebSocketMessage {
  if (!isFinal || data.length > controlBytesMost) throw broken('a control frame is in parts or too large');
  if (opcode === opcodes.ping) return { type: 'ping', data };
  if (opcode === opcodes.pong) return { type: 'pong', data };
  if (opcode !== opcodes.close) throw broken(`a frame of type ${String(opcode)}`);
  const code = data.length < 2 ? noCode : data.readUInt16BE(0);
  return { type: 'close', code, reason: data.subarray(2).toString('utf8') };
}

/** A frame of a server: not masked, and in one part. */
export function encodeWebSocketFrame(
  type: 'text' | 'binary' | 'close' | 'pong',
  ...parts: readonly Uint8Array[]
): Buffer {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const first = final | opcodes[type];
  if (length < 126) return Buffer.concat([Buffer.from([first, length]), ...parts]);
  if (length < 65_536) return Buffer.concat([Buffer.from([first, 126, length >> 8, length & 0xff]), ...parts]);
  const head = Buffer.alloc(10);
  head[0] = first;
  head[1] = 127;
  head.writeBigUInt64BE(BigInt(length), 2);
  return Buffer.concat([head, ...parts]);
}

function broken(what: string): StatusError {
  return new StatusError('InvalidArgument', `Cannot read from the WebSocket: ${what}; see RFC 6455`);
}
