import type { TarEntry } from '../tar-entry.ts';
import { bodyPadding, encodeHeader, endOfTar } from './encode-header.ts';

export interface TarInput {
  readonly entry: TarEntry;
  /** Exactly `entry.sizeBytes` bytes; needed for files that are not empty. */
  readonly body?: Uint8Array | AsyncIterable<Uint8Array>;
}

/** A tar archive, deterministic: the same members give the same bytes. See `encodeHeader`. */
export async function* writeTar(
  members: AsyncIterable<TarInput> | Iterable<TarInput>,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const { entry, body } of members) {
    yield encodeHeader(entry);
    if (entry.sizeBytes === 0) continue;
    let writtenBytes = 0;
    for await (const bytes of body instanceof Uint8Array ? [body] : (body ?? [])) {
      writtenBytes += bytes.length;
      yield bytes;
    }
    if (writtenBytes !== entry.sizeBytes)
      throw new Error(`invariant broken: the body of "${entry.path}" has another size`);
    yield bodyPadding(entry.sizeBytes);
  }
  yield endOfTar();
}

/** A plain entry to start from: a file of root's with mode 0644, made at the epoch. */
export function tarEntry(path: string, fields: Partial<TarEntry> = {}): TarEntry {
  return {
    path,
    type: 'file',
    mode: fields.type === 'directory' ? 0o755 : 0o644,
    uid: 0,
    gid: 0,
    sizeBytes: 0,
    mtimeNs: 0n,
    linkTarget: '',
    deviceMajor: 0,
    deviceMinor: 0,
    xattrs: new Map(),
    ...fields,
  };
}
