import { constants } from 'node:fs';

import { StatusError } from '#base/errors.ts';
import { createPauses } from '#base/pauses.ts';
import { decodeMessage } from '#formats/protobuf/decode.ts';
import { encodeMessage } from '#formats/protobuf/encode.ts';
import type { Encodable } from '#formats/protobuf/message.ts';
import type { TarEntry } from '#formats/tar-entry.ts';
import { openBeneath, openPath } from '#sys/rooted.ts';
import { readFileBody } from '#sys/tree/read-file-body.ts';
import { entryOfNode, isPortableXattr, LinkFinder } from '#sys/tree/tree-entry.ts';
import { walkTree } from '#sys/tree/walk-tree.ts';

import type { GrpcStream } from '../grpc/grpc-channel.ts';
import { packet, packetTypes } from '../messages/session-messages.ts';
import { statOfEntry } from './file-stat.ts';

/** A folder whose files are sent, below a folder of that name when it is not ''. */
export interface SentFolder {
  readonly root: string;
  readonly name: string;
}

/**
 * Gives a client all files of folders, which are in the order of their names (fsutil's protocol, the sending side): names them in order, then sends the bytes
 * of those that it asks for. `onBytes` is told how many went.
 */
export async function sendFiles(
  stream: GrpcStream,
  folders: readonly SentFolder[],
  onBytes: (sizeBytes: number) => void,
  signal: AbortSignal,
): Promise<void> {
  const sizes = await nameFiles(stream, folders, signal);
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
    using folder = openBeneath(file.root, file.path.slice(0, Math.max(0, slash)), openPath | constants.O_DIRECTORY);
    for await (const chunk of readFileBody(`${folder.path}/${file.path.slice(slash + 1)}`, file.sizeBytes)) {
      signal.throwIfAborted();
      await send(stream, { type: packetTypes.data, id, data: chunk });
      onBytes(chunk.length);
    }
    await send(stream, { type: packetTypes.data, id });
  }
}

interface NamedFile {
  readonly root: string;
  readonly path: string;
  readonly sizeBytes: number;
}

/** The entry as it is in a folder of that name; '' for none. */
export function below(name: string, entry: TarEntry): TarEntry {
  if (name === '') return entry;
  const path = entry.path === '' ? name : `${name}/${entry.path}`;
  return { ...entry, path, linkTarget: entry.type === 'hardlink' ? `${name}/${entry.linkTarget}` : entry.linkTarget };
}

/** Names everything; returns the regular files by the number that the client asks for them by. */
async function nameFiles(
  stream: GrpcStream,
  folders: readonly SentFolder[],
  signal: AbortSignal,
): Promise<ReadonlyMap<number, NamedFile>> {
  const files = new Map<number, NamedFile>();
  const pause = createPauses();
  let id = 0;
  for (const { root, name } of folders) {
    const links = new LinkFinder();
    for (const node of walkTree(root)) {
      signal.throwIfAborted();
      await pause();
      if (node.path === '' && name === '') continue;
      const entry = entryOfNode(node, links, isPortableXattr);
      if (entry === undefined) continue;
      if (entry.type === 'file') files.set(id, { root, path: entry.path, sizeBytes: entry.sizeBytes });
      await send(stream, { type: packetTypes.stat, stat: statOfEntry(below(name, entry)) });
      id += 1;
    }
  }
  await send(stream, { type: packetTypes.stat });
  return files;
}

async function send(stream: GrpcStream, value: Encodable<typeof packet>): Promise<void> {
  await stream.send(encodeMessage(packet, value));
}
