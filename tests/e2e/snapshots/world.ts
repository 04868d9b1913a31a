import { createHash } from 'node:crypto';
import { type TestContext } from 'node:test';

import { silentLogger } from '#base/logger.ts';
import { openSnapshots } from '#engine/snapshots/open-snapshots.ts';
import type { Layer, Snapshots } from '#engine/snapshots/snapshots.ts';
import type { Digest } from '#formats/oci.ts';
import type { TarEntry } from '#formats/tar-entry.ts';
import { tarEntry, type TarInput, writeTar } from '#formats/tar/write-tar.ts';
import { makeRoot } from '../../kit/temp-root.ts';
import { unmountTree } from '#sys/mounts.ts';
import { removeTree } from '#sys/tree/remove-tree.ts';

export const never = new AbortController().signal;

/** A place for snapshots that is unmounted and removed after the test; `open` may be called again, as after a crash. */
export function makeWorld(t: TestContext): { dataDir: string; open: () => Promise<Snapshots & AsyncDisposable> } {
  const dataDir = makeRoot();
  t.after(async () => {
    unmountTree(dataDir);
    await removeTree(dataDir);
  });
  return { dataDir, open: () => openSnapshots({ dataDir, logger: silentLogger }) };
}

export type Member = TarInput & { readonly entry: TarEntry };

export function file(path: string, content = '', fields: Partial<TarEntry> = {}): Member {
  const body = Buffer.from(content);
  return { entry: tarEntry(path, { ...fields, sizeBytes: body.length }), body };
}

export function folder(path: string, fields: Partial<TarEntry> = {}): Member {
  return { entry: tarEntry(path, { type: 'directory', ...fields }) };
}

export function link(path: string, linkTarget: string): Member {
  return { entry: tarEntry(path, { type: 'symlink', mode: 0o777, linkTarget }) };
}

export function hardLink(path: string, linkTarget: string): Member {
  return { entry: tarEntry(path, { type: 'hardlink', linkTarget }) };
}

export async function tarOf(...members: readonly Member[]): Promise<Buffer> {
  return collect(writeTar(members));
}

export function digestOf(bytes: Uint8Array): Digest {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

export async function unpack(
  snapshots: Snapshots,
  parent: Layer | undefined,
  ...members: readonly Member[]
): Promise<Layer> {
  const bytes = await tarOf(...members);
  return snapshots.unpack(parent?.chainId, chunks(bytes), digestOf(bytes), never);
}

export async function* chunks(bytes: Uint8Array, size = 10_000): AsyncIterable<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

export async function collect(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const found: Uint8Array[] = [];
  for await (const bytes of source) found.push(Uint8Array.from(bytes));
  return Buffer.concat(found);
}
