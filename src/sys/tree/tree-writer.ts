import { constants, linkSync, lstatSync, unlinkSync } from 'node:fs';

import { StatusError } from '#base/errors.ts';
import type { TarEntry } from '#formats/tar-entry.ts';

import { hasCode } from '../errno.ts';
import { fsPath } from '../file-path.ts';
import { setTimes } from '../files.ts';
import { existsInRoot, makeFoldersInRoot, openInRoot, openPath, type RootedFile } from '../rooted.ts';
import { FileSink, makeEntry, setAttributes } from './make-entry.ts';
import { removeTree } from './remove-tree.ts';

export interface TreeWriterOptions {
  /** Refuse to replace a folder by something else and the other way round, as `docker cp` does. */
  readonly keepsFolders?: boolean;
  /** Owner of everything instead of the entries' own. */
  readonly owner?: { readonly uid: number; readonly gid: number };
  /** Permission bits of files and folders instead of the entries' own. */
  readonly mode?: number;
}

/**
 * Writes entries below a folder inside a root that others may change meanwhile, such as a running container's: whatever
 * links they plant, nothing outside the root is touched. What is there already is replaced; folders are merged. Call
 * `finish` at the end: it gives folders their times.
 */
export class TreeWriter implements Disposable {
  readonly #root: string;
  readonly #base: string;
  readonly #options: TreeWriterOptions;
  readonly #folderTimes = new Map<string, bigint>();
  #parent: { readonly path: string; readonly handle: RootedFile } | undefined;

  constructor(root: string, base: string, options: TreeWriterOptions = {}) {
    this.#root = root;
    this.#base = base;
    this.#options = options;
  }

  /** Makes the entry. A regular file is returned open, for its bytes; the caller calls its `finish`. */
  async add(original: TarEntry): Promise<FileSink | undefined> {
    const entry = this.#adapt(original);
    const path = this.#inside(entry.path);
    if (path === this.#base && entry.type !== 'directory')
      throw refused(entry, 'it would replace the folder that it goes to');
    if (entry.type === 'hardlink' && this.#inside(entry.linkTarget) === path && existsInRoot(this.#root, path))
      return undefined;
    const at = path === '' ? `${this.#openParent('')}/.` : this.#place(path);
    if (await this.#clear(at, entry)) {
      this.#attach(at, path, entry);
      return undefined;
    }
    if (entry.type === 'file') return new FileSink(at, entry);
    if (entry.type === 'hardlink') this.#link(at, entry);
    else {
      makeEntry(at, entry);
      this.#attach(at, path, entry);
    }
    return undefined;
  }

  finish(): void {
    for (const [path, mtimeNs] of [...this.#folderTimes].reverse()) {
      using folder = openInRoot(this.#root, path, openPath | constants.O_DIRECTORY);
      setTimes(`${folder.path}/.`, mtimeNs, mtimeNs);
    }
  }

  [Symbol.dispose](): void {
    this.#parent?.handle[Symbol.dispose]();
    this.#parent = undefined;
  }

  #adapt(entry: TarEntry): TarEntry {
    const { owner, mode } = this.#options;
    const hasMode = entry.type === 'file' || entry.type === 'directory';
    return { ...entry, ...owner, ...(mode !== undefined && hasMode ? { mode } : {}) };
  }

  /** A path of the archive as a path in the root. */
  #inside(path: string): string {
    const inner = cleanPath(path);
    if (inner === undefined)
      throw new StatusError('InvalidArgument', `Cannot unpack "${path}": it leads outside; remove it from the archive`);
    return [this.#base, inner].filter((part) => part !== '').join('/');
  }

  #place(path: string): string {
    const slash = path.lastIndexOf('/');
    return `${this.#openParent(slash < 0 ? '' : path.slice(0, slash))}/${path.slice(slash + 1)}`;
  }

  #openParent(path: string): string {
    if (this.#parent?.path === path) return this.#parent.handle.path;
    this[Symbol.dispose]();
    const open = (): RootedFile => openInRoot(this.#root, path, openPath | constants.O_DIRECTORY);
    let handle: RootedFile;
    try {
      handle = open();
    } catch (error) {
      if (!hasCode(error, 'ENOENT')) throw error;
      makeFoldersInRoot(this.#root, path);
      handle = open();
    }
    this.#parent = { path, handle };
    return handle.path;
  }

  /** Removes what is in the way; true when a folder stays and is merged. */
  async #clear(at: string, entry: TarEntry): Promise<boolean> {
    const found = lstatSync(fsPath(at), { throwIfNoEntry: false });
    if (found === undefined) return false;
    const becomesFolder = entry.type === 'directory';
    if (found.isDirectory() && becomesFolder) return true;
    if (found.isDirectory() !== becomesFolder && this.#options.keepsFolders === true)
      throw refused(entry, becomesFolder ? 'a file is in its place' : 'a folder is in its place');
    if (found.isDirectory()) await removeTree(at);
    else unlinkSync(fsPath(at));
    return false;
  }

  #attach(at: string, path: string, entry: TarEntry): void {
    setAttributes(at, entry);
    if (entry.type === 'directory') this.#folderTimes.set(path, entry.mtimeNs);
  }

  #link(at: string, entry: TarEntry): void {
    const target = this.#inside(entry.linkTarget);
    const slash = target.lastIndexOf('/');
    using folder = openInRoot(this.#root, target.slice(0, Math.max(slash, 0)), openPath | constants.O_DIRECTORY);
    linkSync(fsPath(`${folder.path}/${target.slice(slash + 1)}`), fsPath(at));
  }
}

/** The parts of an archive's path without `.`, `..` and empty ones; undefined when it climbs above its start. */
export function cleanPath(path: string): string | undefined {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') parts.push(part);
    else if (parts.pop() === undefined) return undefined;
  }
  return parts.join('/');
}

function refused(entry: TarEntry, state: string): StatusError {
  return new StatusError('InvalidArgument', `Cannot unpack "${entry.path}": ${state}; remove one of them`);
}
