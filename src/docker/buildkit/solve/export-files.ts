import { StatusError } from '#base/errors.ts';
import { formatPlatform } from '#formats/oci-json.ts';
import { encodeMessage } from '#formats/protobuf/encode.ts';
import type { TarEntry } from '#formats/tar-entry.ts';
import { packTree } from '#sys/tree/pack-tree.ts';

import { below, sendFiles, type SentFolder } from '../files/send-files.ts';
import { bytesMessage } from '../messages/session-messages.ts';
import { Task } from '../progress/task.ts';
import type { ClientSession } from '../session/client-session.ts';
import type { ActiveBuild, Built } from './active-build.ts';

const method = '/moby.filesync.v1.FileSend/DiffCopy';
/** Says which of the client's outputs is meant. */
const exporterHeader = 'buildkit-attachable-exporter-id';

/** The files of a result, and the client's output for them. */
interface FilesOutput {
  readonly result: Built;
  readonly id: string;
}

/** Opens the files of a result: those of several platforms each in a folder of its own, as with BuildKit. */
async function openFolders({ images }: Built, stack: AsyncDisposableStack): Promise<readonly SentFolder[]> {
  const folders: SentFolder[] = [];
  for (const image of images) {
    const { root } = stack.use(await image.openFiles());
    folders.push({ root, name: images.length === 1 ? '' : formatPlatform(image.platform).replaceAll('/', '_') });
  }
  return folders.sort((one, other) => (one.name < other.name ? -1 : 1));
}

/** `--output type=local`: the files of the result into a folder of the client. */
export async function exportFolder(
  build: ActiveBuild,
  session: ClientSession,
  { result, id }: FilesOutput,
): Promise<void> {
  await sending(build, session, { id, name: 'exporting to client directory' }, async (task) => {
    await using stack = new AsyncDisposableStack();
    const folders = await openFolders(result, stack);
    using stream = session.channel.open(method, { [exporterHeader]: id }, build.signal);
    const count = counter(task, 'copying files');
    await sendFiles(stream, folders, count.add, build.signal);
    count.finish();
  });
}

/** `--output type=tar`: the files of the result as one tar. */
export async function exportTar(
  build: ActiveBuild,
  session: ClientSession,
  { result, id }: FilesOutput,
): Promise<void> {
  await sending(build, session, { id, name: 'exporting to client tarball' }, async (task) => {
    await using stack = new AsyncDisposableStack();
    const bytes = packFolders(await openFolders(result, stack), build.signal);
    await sendBytes(session, { bytes, id, task }, build.signal);
  });
}

/** One tar of several trees. */
async function* packFolders(
  folders: readonly SentFolder[],
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  for (const [index, { root: start, name }] of folders.entries()) {
    const transform = (entry: TarEntry): readonly TarEntry[] =>
      entry.path === '' && name === '' ? [] : [below(name, entry)];
    yield* packTree({ start, transform, isOpen: index < folders.length - 1 }, signal);
  }
}

/** Bytes into a file of the client. */
export async function sendBytes(
  session: ClientSession,
  { bytes, id, task }: { readonly bytes: AsyncIterable<Uint8Array>; readonly id: string; readonly task: Task },
  signal: AbortSignal,
): Promise<void> {
  using stream = session.channel.open(method, { [exporterHeader]: id }, signal);
  const count = counter(task, 'sending tarball');
  for await (const data of bytes) {
    await stream.send(encodeMessage(bytesMessage, { data }));
    count.add(data.length);
  }
  stream.end();
  for await (const _ of stream.messages);
  count.finish();
}

/** Runs an export as a task; throws InvalidArgument for a client that takes no files. */
export async function sending(
  { log, ref }: ActiveBuild,
  session: ClientSession,
  { id, name }: { readonly id: string; readonly name: string },
  work: (task: Task) => Promise<void>,
): Promise<void> {
  if (!session.serves(method)) throw new StatusError('InvalidArgument', `method ${method} not supported by the client`);
  const task = new Task(log, `${ref} export ${id}`, name);
  await task.run(() => work(task));
}

function counter(task: Task, id: string): { readonly add: (sizeBytes: number) => void; readonly finish: () => void } {
  let current = 0;
  const add = (sizeBytes: number): void => {
    current += sizeBytes;
    task.progress(id, { current });
  };
  return { add, finish: () => task.progress(id, { current, done: true }) };
}
