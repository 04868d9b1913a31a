import { StatusError } from '#base/errors.ts';
import { decodeMessage } from '#formats/protobuf/decode.ts';
import { encodeMessage } from '#formats/protobuf/encode.ts';
import type { Decoded, Encodable } from '#formats/protobuf/message.ts';
import type { TarEntry } from '#formats/tar-entry.ts';
import { unpackError } from '#sys/tree/extract-tar.ts';

import type { GrpcStream } from '../grpc/grpc-channel.ts';
import { packet, packetTypes } from '../messages/session-messages.ts';
import { ContextFolder, type IncomingFile } from './context-folder.ts';
import { entryOfStat } from './file-stat.ts';
import { type OfferedFile, planSync } from './sync-plan.ts';

/** Files and folders that a client may offer. */
const maximumFiles = 1_000_000;
/** Files that are asked for ahead of their bytes. */
const maximumRequests = 64;

/**
 * Makes a folder equal to what the client offers (fsutil's protocol, the receiving side): it names all its files in order,
 * and is asked for the bytes of those that differ. `onBytes` is told how many came. Throws InvalidArgument for names that
 * lead out or make no sense, and for what the client says went wrong.
 */
export async function receiveFiles(
  stream: GrpcStream,
  root: string,
  onBytes: (sizeBytes: number) => void,
  signal: AbortSignal,
): Promise<void> {
  const packets = decodePackets(stream.messages, onBytes);
  const folder = new ContextFolder(root);
  const offered = await offeredFiles(packets);
  const plan = planSync(await folder.present(signal), offered);
  for (const path of plan.remove) await folder.remove(path);
  await inWords('', () => folder.make(plan.folders, signal));
  await fetchFiles(stream, packets, { folder, files: plan.fetch }, signal);
  await inWords('', () => folder.make(plan.links, signal));
  const folders = offered.map(({ entry }) => entry).filter(({ type }) => type === 'directory');
  await folder.make(folder.differing(folders), signal);
  await send(stream, { type: packetTypes.finish });
  stream.end();
  for (let next = await packets.next(); next.done !== true; next = await packets.next());
}

type Packet = Decoded<typeof packet>;

async function* decodePackets(
  messages: AsyncIterable<Buffer>,
  onBytes: (sizeBytes: number) => void,
): AsyncGenerator<Packet, void, undefined> {
  for await (const bytes of messages) {
    onBytes(bytes.length);
    const decoded = decodeMessage(packet, bytes);
    if (decoded.type === packetTypes.error)
      throw new StatusError('InvalidArgument', `error from sender: ${Buffer.from(decoded.data).toString()}`);
    yield decoded;
  }
}

/** The names come first, and end with an empty one. */
async function offeredFiles(packets: AsyncIterator<Packet>): Promise<readonly OfferedFile[]> {
  const offered: OfferedFile[] = [];
  for (;;) {
    const { type, stat } = await nextPacket(packets);
    if (type !== packetTypes.stat) throw confused();
    if (stat === undefined) return offered;
    if (offered.length >= maximumFiles)
      throw new StatusError('TooLarge', `Cannot take the client's files: there are more than ${String(maximumFiles)}`);
    offered.push({ id: offered.length, entry: entryOfStat(stat) });
  }
}

async function fetchFiles(
  stream: GrpcStream,
  packets: AsyncIterator<Packet>,
  { folder, files }: { readonly folder: ContextFolder; readonly files: readonly OfferedFile[] },
  signal: AbortSignal,
): Promise<void> {
  const asked = new Map<number, TarEntry>();
  const open = new Map<number, IncomingFile>();
  using cleanup = new DisposableStack();
  cleanup.defer(() => open.forEach((file) => file[Symbol.dispose]()));
  let next = 0;
  for (let done = 0; done < files.length;) {
    signal.throwIfAborted();
    for (; next < files.length && asked.size < maximumRequests; next += 1) {
      const file = files[next];
      if (file === undefined) break;
      asked.set(file.id, file.entry);
      await send(stream, { type: packetTypes.request, id: file.id });
    }
    const { type, id, data } = await nextPacket(packets);
    const entry = asked.get(id);
    if (type !== packetTypes.data || entry === undefined) throw confused();
    await inWords(entry.path, async () => {
      const file = open.get(id) ?? (await folder.openFile(entry));
      open.set(id, file);
      if (data.length > 0) return file.write(data);
      file.finish();
      open.delete(id);
      asked.delete(id);
      done += 1;
    });
  }
}

async function nextPacket(packets: AsyncIterator<Packet>): Promise<Packet> {
  const { value, done } = await packets.next();
  if (done === true) throw new StatusError('Unavailable', "Cannot take the client's files: they ended too early");
  return value;
}

async function send(stream: GrpcStream, value: Encodable<typeof packet>): Promise<void> {
  await stream.send(encodeMessage(packet, value));
}

async function inWords(path: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    throw unpackError(path, error);
  }
}

function confused(): StatusError {
  return new StatusError('InvalidArgument', "Cannot take the client's files: it sent what was not asked for");
}
