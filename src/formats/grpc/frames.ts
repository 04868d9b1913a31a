import { StatusError } from '#base/errors.ts';

/** The largest message unless said otherwise, as in BuildKit (containerd's default for gRPC). */
const messageBytesMost = 16 * 1024 * 1024;
/** "Length-Prefixed-Message" of gRPC over HTTP/2: one byte that says whether it is compressed, four of length. */
const prefixBytes = 5;

/** Puts the prefix before a message. */
export function frameMessage(message: Uint8Array): Buffer {
  const prefix = Buffer.alloc(prefixBytes);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

/** The messages of a stream of bytes; throws InvalidArgument for one that is compressed or cut, TooLarge. */
export async function* readMessages(
  stream: AsyncIterable<Buffer>,
  bytesMost = messageBytesMost,
): AsyncGenerator<Buffer, void, undefined> {
  let pending: Buffer[] = [];
  let pendingBytes = 0;
  let wanted = prefixBytes;
  for await (const chunk of stream) {
    pending.push(chunk);
    pendingBytes += chunk.length;
    if (pendingBytes < wanted) continue;
    let bytes = Buffer.concat(pending, pendingBytes);
    for (wanted = lengthOf(bytes, bytesMost); bytes.length >= wanted; wanted = lengthOf(bytes, bytesMost)) {
      yield bytes.subarray(prefixBytes, wanted);
      bytes = bytes.subarray(wanted);
    }
    pending = [bytes];
    pendingBytes = bytes.length;
  }
  if (pendingBytes > 0) throw new StatusError('InvalidArgument', 'Cannot read a gRPC message: it ends too early');
}

/** Bytes of the first message with its prefix; those of a prefix when that is not there yet. */
function lengthOf(bytes: Buffer, bytesMost: number): number {
  if (bytes.length < prefixBytes) return prefixBytes;
  if (bytes[0] !== 0)
    throw new StatusError('InvalidArgument', 'Cannot read a gRPC message: it is compressed, which was not agreed on');
  const length = bytes.readUInt32BE(1);
  if (length <= bytesMost) return prefixBytes + length;
  throw new StatusError(
    'TooLarge',
    `Cannot read a gRPC message of ${String(length)} bytes: at most ${String(bytesMost)} are read`,
  );
}
