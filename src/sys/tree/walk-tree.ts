import { type BigIntStats, closeSync, constants, lstatSync, openSync, readdirSync } from 'node:fs';

import { textOfBytes } from '#formats/byte-text.ts';

import { hasCode } from '../errno.ts';
import { fsPath } from '../file-path.ts';

/** A file, folder, link or node found in a tree. */
export interface TreeNode {
  /** Relative to the start, `/`-separated; '' for the start itself. */
  readonly path: string;
  /** A path for system calls that must not follow a last link; valid until the next node is asked for. */
  readonly at: string;
  readonly stat: BigIntStats;
}

interface OpenFolder {
  readonly path: string;
  readonly fd: number;
  readonly names: string[];
}

const folderFlags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;

/**
 * All nodes of a folder's tree, folders before their content, siblings by name. Safe in a tree that others change
 * meanwhile: links are never followed, what vanishes is left out. The generator holds one open folder per level.
 */
export function* walkTree(start: string): Generator<TreeNode, void, undefined> {
  const stack: OpenFolder[] = [];
  try {
    const root = openFolder(`${start}/.`, '');
    stack.push(root);
    const at = `/proc/self/fd/${String(root.fd)}/.`;
    yield { path: '', at, stat: lstatSync(at, { bigint: true }) };
    for (let folder = stack.at(-1); folder !== undefined; folder = stack.at(-1)) {
      const name = folder.names.pop();
      if (name === undefined) {
        stack.pop();
        closeSync(folder.fd);
        continue;
      }
      const node = look(folder, name);
      if (node === undefined) continue;
      yield node;
      const inner = node.stat.isDirectory() ? tryOpenFolder(node) : undefined;
      if (inner !== undefined) stack.push(inner);
    }
  } finally {
    for (const { fd } of stack) closeSync(fd);
  }
}

/** The names in a folder, sorted, bytes that are not UTF-8 kept (`textOfBytes`). */
export function namesIn(folder: string): string[] {
  const names = readdirSync(fsPath(folder));
  const exact = names.some((name) => name.includes('\ufffd'))
    ? readdirSync(fsPath(folder), { encoding: 'buffer' }).map((name) => textOfBytes(name))
    : names;
  return exact.sort((one, other) => (one < other ? -1 : 1));
}

function look(folder: OpenFolder, name: string): TreeNode | undefined {
  const at = `/proc/self/fd/${String(folder.fd)}/${name}`;
  const stat = lstatSync(fsPath(at), { bigint: true, throwIfNoEntry: false });
  return stat === undefined ? undefined : { path: folder.path === '' ? name : `${folder.path}/${name}`, at, stat };
}

function openFolder(at: string, path: string): OpenFolder {
  const fd = openSync(fsPath(at), folderFlags);
  try {
    return { path, fd, names: namesIn(`/proc/self/fd/${String(fd)}`).reverse() };
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

function tryOpenFolder(node: TreeNode): OpenFolder | undefined {
  try {
    return openFolder(node.at, node.path);
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) return undefined;
    throw error;
  }
}
