import { StatusError } from '#base/errors.ts';

import { headerDictionaryId } from './header-dictionary.ts';

/** A frame of SPDY/3.1 (specification, section 2.2), as far as streams of Kubernetes have them; headers are still packed. */
export type SpdyFrame =
  | { readonly type: 'syn-stream'; readonly streamId: number; readonly isLast: boolean; readonly headers: Buffer }
  | { readonly type: 'data'; readonly streamId: number; readonly isLast: boolean; readonly data: Buffer }
  | { readonly type: 'reset'; readonly streamId: number }
  | { readonly type: 'ping'; readonly id: number }
  | { readonly type: 'goaway' }
  /** Settings and window updates: nothing follows from them here. */
  | { readonly type: 'other' };

const control = 0x80;
const version = 3;
const types = { synStream: 1, synReply: 2, reset: 3, ping: 6, goaway: 7 } as const;
const flagLast = 0x01;
const headBytes = 8;
/** Larger ones nobody sends: kubectl's have 32 KiB. */
const frameBytesMost = 1024 * 1024;

/** Reads frames in pieces as they come. */
export class SpdyReader {
  #pending: Buffer = Buffer.alloc(0);

  /** The frames that are complete with this piece. Throws InvalidArgument for what is no SPDY/3.1, or too large. */
  push(bytes: Buffer): readonly SpdyFrame[] {
    this.#pending = this.#pending.length === 0 ? bytes : Buffer.concat([this.#pending, bytes]);
    const frames: SpdyFrame[] = [];
    for (;;) {
      const pending = this.#pending;
      if (pending.length < headBytes) return frames;
      const length = pending.readUIntBE(5, 3);
      if (length > frameBytesMost) throw broken(`a frame has more than ${String(frameBytesMost)} bytes`);
      if (pending.length < headBytes + length) return frames;
      frames.push(
        frameOf(pending.subarray(0, headBytes), Buffer.from(pending.subarray(headBytes, headBytes + length))),
      );
      this.#pending = pending.subarray(headBytes + length);
    }
  }
}

function frameOf(head: Buffer, body: Buffer): SpdyFrame {
  const isLast = ((head[4] ?? 0) & flagLast) !== 0;
  if (((head[0] ?? 0) & control) === 0) return { type: 'data', streamId: head.readUInt32BE(0), isLast, data: body };
  if ((head.readUInt16BE(0) & 0x7fff) !== version) throw broken('a frame is not of version 3');
  const need = (bytes: number): void => {
    if (body.length < bytes) throw broken('a frame is too short for its type');
  };
  switch (head.readUInt16BE(2)) {
    case types.synStream:
      need(10);
      return { type: 'syn-stream', streamId: body.readUInt32BE(0) & 0x7fffffff, isLast, headers: body.subarray(10) };
    case types.reset:
      need(8);
      return { type: 'reset', streamId: body.readUInt32BE(0) & 0x7fffffff };
    case types.ping:
      need(4);
      return { type: 'ping', id: body.readUInt32BE(0) };
    case types.goaway:
      return { type: 'goaway' };
    default:
      return { type: 'other' };
  }
}

/** Names and values of a block of headers that was unpacked; the last of several values of a name. */
export function readHeaders(block: Buffer): ReadonlyMap<string, string> {
  const headers = new Map<string, string>();
  let at = 0;
  const number = (): number => {
    if (at + 4 > block.length) throw broken('a block of headers ends early');
    at += 4;
    return block.readUInt32BE(at - 4);
  };
  const text = (): string => {
    const length = number();
    if (at + length > block.length) throw broken('a block of headers ends early');
    at += length;
    return block.toString('utf8', at - length, at);
  };
  for (let left = number(); left > 0; left -= 1) {
    const name = text().toLowerCase();
    headers.set(name, text().split('\0').at(-1) ?? '');
  }
  return headers;
}

export function encodeData(streamId: number, data: Uint8Array, isLast: boolean): Buffer {
  const head = Buffer.alloc(headBytes);
  head.writeUInt32BE(streamId, 0);
  head[4] = isLast ? flagLast : 0;
  head.writeUIntBE(data.length, 5, 3);
  return Buffer.concat([head, data]);
}

export function encodePing(id: number): Buffer {
  const body = Buffer.alloc(4);
  body.writeUInt32BE(id);
  return controlFrame(types.ping, body);
}

/** Refuses or breaks off a stream; 5 is CANCEL (section 2.6.3). */
export function encodeReset(streamId: number, status: number): Buffer {
  const body = Buffer.alloc(8);
  body.writeUInt32BE(streamId, 0);
  body.writeUInt32BE(status, 4);
  return controlFrame(types.reset, body);
}

/**
 * Accepts a stream, without headers. All blocks of headers of a connection are one zlib stream: the first one begins it, and
 * each is a block that is stored as it is (RFC 1951, section 3.2.4), and an empty one, at which Go hands out what it has.
 */
export function encodeReply(streamId: number, isFirst: boolean): Buffer {
  const begin = Buffer.from([0x78, 0xbb, 0, 0, 0, 0]);
  begin.writeUInt32BE(headerDictionaryId, 2);
  const noHeaders = Buffer.alloc(4);
  const stored = Buffer.from([0, noHeaders.length, 0, 0xff - noHeaders.length, 0xff]);
  const flush = Buffer.from([0, 0, 0, 0xff, 0xff]);
  const id = Buffer.alloc(4);
  id.writeUInt32BE(streamId);
  return controlFrame(types.synReply, Buffer.concat([id, ...(isFirst ? [begin] : []), stored, noHeaders, flush]));
}

function controlFrame(type: number, body: Buffer): Buffer {
  const head = Buffer.alloc(headBytes);
  head.writeUInt16BE((control << 8) | version, 0);
  head.writeUInt16BE(type, 2);
  head.writeUIntBE(body.length, 5, 3);
  return Buffer.concat([head, body]);
}

function broken(what: string): StatusError {
  return new StatusError('InvalidArgument', `Cannot read from the SPDY connection: ${what}`);
}
