import type { Task } from '../progress/task.ts';
import { receiveFiles } from '../files/receive-files.ts';
import type { Metadata } from '../grpc/grpc-channel.ts';
import type { ClientSession } from './client-session.ts';

const method = '/moby.filesync.v1.FileSync/DiffCopy';

export interface WantedFiles {
  /** The client's name of the folder. */
  readonly folder: string;
  /** Only these paths, and what links in them lead to; all when empty. */
  readonly paths?: readonly string[];
  /** Patterns of what to leave out. */
  readonly exclude?: readonly string[];
}

/** Makes a folder here equal to one of the client, and says how far it is. */
export async function syncFolder(
  session: ClientSession,
  { folder, paths = [], exclude = [] }: WantedFiles,
  target: { readonly root: string; readonly task: Task },
  signal: AbortSignal,
): Promise<void> {
  const metadata = {
    'dir-name': folder,
    ...listHeader('followpaths', paths),
    ...listHeader('exclude-patterns', exclude),
  };
  using stream = session.channel.open(method, metadata, signal);
  let current = 0;
  const id = `transferring ${folder}:`;
  const onBytes = (sizeBytes: number): void => {
    current += sizeBytes;
    target.task.progress(id, { current });
  };
  await receiveFiles(stream, target.root, onBytes, signal);
  target.task.progress(id, { current, done: true });
}

/** Headers are ASCII: other values go percent-encoded, all of a list or none (buildkit: session/filesync). */
function listHeader(name: string, values: readonly string[]): Metadata {
  if (values.length === 0) return {};
  // oxlint-disable-next-line no-control-regex
  if (values.every((value) => /^[\u0020-\u007e]*$/.test(value) && value.trim() === value))
    return { [name]: [...values] };
  const encoded = values.map((value) => encodeURIComponent(value).replaceAll('%20', '+'));
  return { [name]: encoded, [`${name}-encoded`]: '1' };
}
