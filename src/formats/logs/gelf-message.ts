import { StatusError } from '#base/errors.ts';

export interface GelfMessage {
  readonly host: string;
  readonly text: Uint8Array;
  readonly timeNs: bigint;
  /** Syslog's severities. */
  readonly level: number;
  /** Further fields; their names begin with an underscore. */
  readonly extra: Readonly<Record<string, string>>;
}

/** A datagram with a chunk's header, as Docker's client sends (GELF 1.1, "Chunking"). */
const chunkBytes = 1420;
const headerBytes = 12;
const chunksMost = 128;

/** A message of the Graylog Extended Log Format 1.1. */
export function encodeGelfMessage({ host, text, timeNs, level, extra }: GelfMessage): Buffer {
  const message = {
    version: '1.1',
    host,
    short_message: Buffer.from(text).toString(),
    timestamp: Number(timeNs / 1_000_000n) / 1000,
    level,
    ...extra,
  };
  return Buffer.from(JSON.stringify(message));
}

/** The datagrams of a message; `id` are 8 bytes that no other message has. Throws TooLarge for more than 128. */
export function chunkGelfMessage(message: Buffer, id: Uint8Array): readonly Buffer[] {
  if (message.length <= chunkBytes) return [message];
  const dataBytes = chunkBytes - headerBytes;
  const count = Math.ceil(message.length / dataBytes);
  if (count > chunksMost)
    throw new StatusError(
      'TooLarge',
      `msg too large, would need ${String(count)} chunks, more than ${String(chunksMost)}`,
    );
  return Array.from({ length: count }, (_, index) =>
    Buffer.concat([
      Buffer.of(0x1e, 0x0f),
      id,
      Buffer.of(index, count),
      message.subarray(index * dataBytes, (index + 1) * dataBytes),
    ]),
  );
}
