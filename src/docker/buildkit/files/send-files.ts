import { constants } from 'node:fs';

import { StatusError } from '#base/errors.ts';
import { createPauses } from '#base/pauses.ts';
import { decodeMessage } from '#formats/protobuf/decode.ts';
import { encodeMessage } from '#formats/protobuf/encode.ts';
import type { Encodable } from '#formats/protobuf/message.ts';
import { openBeneath, openPath } from '#sys/rooted.ts';
import { readFileBody } from '#sys/tree/read-file-body.ts';
import { entryOfNode, isPortableXattr, LinkFinder } from '#sys/tree/tree-entry.ts';
import { walkTree } from '#sys/tree/walk-tree.ts';

import type { GrpcStream } from '../grpc/grpc-channel.ts';
import { packet, packetTypes } from '../messages/session-messages.ts';
import { statOfEntry } from './file-stat.ts';

/**
 * Gives a client all files below `root` (fsutil's protocol, the sending side): names them in order, then sends the bytes
 * of those that it asks for. `onBytes` is told how many went.
 */
export async function sendFiles(
  stream: GrpcStream,
  root: string,
  onBytes: (sizeBytes: number) => void,
  signal: AbortSignal,
): Promise<void> {
  const sizes = await nameFiles(stream, root, signal);
  for await (const bytes of stream.messages) {
    const { type, id, data } = decodeMessage(packet, bytes);
    if (type === packetTypes.error)
      throw new StatusError('InvalidArgument', `error from receiver: ${Buffer.from(data).toString()}`);
    if (type === packetTypes.finish) {
      await send(stream, { type: packetTypes.finish });
      stream.end();
      continue;
    }
    const file = sizes.get(id);
    if (type !== packetTypes.request || file === undefined)
      throw new StatusError('InvalidArgument', 'Cannot send files to the client: it asked for what is not there');
    const slash = file.path.lastIndexOf('/');
    using folder = openBeneath(root, file.path.slice(0, Math.max(0, slash)), openPath | constants.O_DIRECTORY);
    for await (const chunk of readFileBody(`${folder.path}/${file.path.slice(slash + 1)}`, file.sizeBytes)) {
      signal.throwIfAborted();
      await send(stream, { type: packetTypes.data, id, data: chunk });
      onBytes(chunk.length);
    }
    await send(stream, { type: packetTypes.data, id });
  }
}

/** Names everything; returns the regular files by the number that the client asks for them by. */
async function nameFiles(
  stream: GrpcStream,
  root: string,
  signal: AbortSignal,
): Promise<ReadonlyMap<number, { readonly path: string; readonly sizeBytes: number }>> {
  const files = new Map<number, { readonly path: string; readonly sizeBytes: number }>();
  const links = new LinkFinder();
  const pause = createPauses();
  let id = 0;
  for (const node of walkTree(root)) {
    signal.throwIfAborted();
    await pause();
    const entry = node.path === '' ? undefined : entryOfNode(node, links, isPortableXattr);
    if (entry === undefined) continue;
    if (entry.type === 'file') files.set(id, { path: entry.path, sizeBytes: entry.sizeBytes });
    await send(stream, { type: packetTypes.stat, stat: statOfEntry(entry) });
    id += 1;
  }
  await send(stream, { type: packetTypes.stat });
  return files;
}

async function send(stream: GrpcStream, value: Encodable<typeof packet>): Promise<void> {
  await stream.send(encodeMessage(packet, value));
}
