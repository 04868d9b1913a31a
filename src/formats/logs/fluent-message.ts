import { decodeMsgpack, encodeMsgpack, MsgpackExtension } from './msgpack.ts';

/** An event of fluentd's forward protocol (Forward Protocol Specification v1, "Message mode"). */
export interface FluentEvent {
  readonly tag: string;
  readonly timeNs: bigint;
  readonly record: Readonly<Record<string, string | Uint8Array>>;
  /** Whether the time goes as EventTime, with nanoseconds; else whole seconds, which old receivers want. */
  readonly subSecond: boolean;
  /** The receiver confirms it by this name; undefined: it says nothing. */
  readonly chunk?: string;
}

const nsPerSecond = 1_000_000_000n;
const eventTimeType = 0;

export function encodeFluentEvent({ tag, timeNs, record, subSecond, chunk }: FluentEvent): Buffer {
  const seconds = Number(timeNs / nsPerSecond);
  const time = subSecond ? eventTime(seconds, Number(timeNs % nsPerSecond)) : seconds;
  return encodeMsgpack([tag, time, record, chunk === undefined ? {} : { chunk }]);
}

/** The names of confirmed events in bytes from a receiver, and what is not complete yet. Throws Damaged. */
export function parseFluentAcks(bytes: Buffer): { readonly chunks: readonly string[]; readonly rest: Buffer } {
  const chunks: string[] = [];
  let rest = bytes;
  for (let decoded = decodeMsgpack(rest); decoded !== undefined; decoded = decodeMsgpack(rest)) {
    const { value, sizeBytes } = decoded;
    if (typeof value === 'object' && value !== null && 'ack' in value && typeof value['ack'] === 'string')
      chunks.push(value['ack']);
    rest = rest.subarray(sizeBytes);
  }
  return { chunks, rest };
}

function eventTime(seconds: number, nanos: number): MsgpackExtension {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt32BE(seconds % 2 ** 32, 0);
  bytes.writeUInt32BE(nanos, 4);
  return new MsgpackExtension(eventTimeType, bytes);
}
