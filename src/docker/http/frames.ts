import type { OutputChunk } from '#engine/runtime/containers.ts';

const streamTypes = { stdout: 1, stderr: 2 } as const;
const headerBytes = 8;

/**
 * One frame of Docker's multiplexed stream: type, three zero bytes, the payload's length as big-endian 32 bits, payload
 * (Engine API, "Attach to a container", stream format).
 */
export function frame(chunk: OutputChunk): Uint8Array {
  return frames([chunk]);
}

/** The frames of several chunks. */
export function frames(chunks: readonly OutputChunk[]): Uint8Array {
  const sizeBytes = chunks.reduce((sum, { bytes }) => sum + headerBytes + bytes.length, 0);
  const all = Buffer.allocUnsafeSlow(sizeBytes);
  let at = 0;
  for (const { stream, bytes } of chunks) {
    all.writeUInt32BE(streamTypes[stream] * 2 ** 24, at);
    all.writeUInt32BE(bytes.length, at + 4);
    all.set(bytes, at + headerBytes);
    at += headerBytes + bytes.length;
  }
  return all;
}
