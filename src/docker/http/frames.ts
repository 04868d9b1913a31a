import type { OutputChunk } from '#engine/runtime/containers.ts';

const streamTypes = { stdout: 1, stderr: 2 } as const;
const headerBytes = 8;

/**
 * One frame of Docker's multiplexed stream: type, three zero bytes, the payload's length as big-endian 32 bits, payload
 * (Engine API, "Attach to a container", stream format).
 */
export function frame(chunk: OutputChunk): Uint8Array {
  const bytes = new Uint8Array(headerBytes + chunk.bytes.length);
  bytes[0] = streamTypes[chunk.stream];
  new DataView(bytes.buffer).setUint32(4, chunk.bytes.length);
  bytes.set(chunk.bytes, headerBytes);
  return bytes;
}
