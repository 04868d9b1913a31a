import { lstatSync, unlinkSync } from 'node:fs';

import { StatusError } from '#base/errors.ts';
import type { TarEntry } from '#formats/tar-entry.ts';
import { fsPath } from '#sys/file-path.ts';
import { makeWhiteout, setTimes } from '#sys/files.ts';
import { makeEntry, setAttributes } from '#sys/tree/make-entry.ts';
import { entryOfNode, isOrdinaryXattr, LinkFinder, readLink } from '#sys/tree/tree-entry.ts';
import { walkTree } from '#sys/tree/walk-tree.ts';
import { setXattr } from '#sys/xattrs.ts';

import { isWhiteout, type LowerView, opaqueXattr } from './lower-view.ts';

export type KindInLayer = 'missing' | 'folder' | 'link' | 'whiteout' | 'other';

/** As the kernel's own limit (path_resolution(7)). */
const maxLinks = 40;

/**
 * The files of a layer that is being made, above the layers that it will lie on. Nobody else writes here, so that looking
 * and then acting is safe; links of this and of lower layers are followed within the image's root and never outside.
 */
export class LayerFolder {
  readonly #files: string;
  readonly #lower: LowerView;
  readonly #opaque = new Set<string>();
  readonly #times = new Map<string, bigint>();
  /** Folders by the path that an archive names them by. */
  readonly #resolved = new Map<string, string>();

  /** `files` is an empty folder that becomes the layer's root; it takes the attributes of the root below. */
  constructor(files: string, lower: LowerView) {
    this.#files = files;
    this.#lower = lower;
    const root = lower.lookup('');
    if (root === undefined) this.setFolder('', rootEntry);
    else this.#likeBelow('', root);
  }

  at(path: string): string {
    return path === '' ? this.#files : `${this.#files}/${path}`;
  }

  kindAt(path: string): KindInLayer {
    const stat = lstatSync(fsPath(this.at(path)), { bigint: true, throwIfNoEntry: false });
    if (stat === undefined) return 'missing';
    if (stat.isDirectory()) return 'folder';
    if (stat.isSymbolicLink()) return 'link';
    return isWhiteout(stat) ? 'whiteout' : 'other';
  }

  /**
   * The real path of a folder of this layer, made when it is missing: like the one below when there is one, so that a
   * layer that leaves parents out does not change them. Throws InvalidArgument when a file is in the way.
   */
  folder(path: string): string {
    const known = this.#resolved.get(path);
    if (known !== undefined) return known;
    const real = this.#resolve(path);
    this.#resolved.set(path, real);
    return real;
  }

  /** Attributes for a folder of this layer; its time is set at the end. */
  setFolder(path: string, entry: TarEntry): void {
    setAttributes(this.at(path), entry);
    this.#times.set(path, entry.mtimeNs);
  }

  /** Makes a folder; where this layer had a whiteout the new one hides the old one's content. */
  makeFolder(path: string, entry: TarEntry): void {
    const hides = this.kindAt(path) === 'whiteout';
    if (hides) unlinkSync(fsPath(this.at(path)));
    makeEntry(this.at(path), entry);
    this.setFolder(path, entry);
    if (hides) this.#markOpaque(path);
  }

  /** Hides what lies below at a path, but nothing of this layer (OCI image specification, layer.md, Whiteouts). */
  whiteOut(path: string): void {
    const kind = this.kindAt(path);
    if (kind === 'folder') this.hideBelow(path);
    if (kind === 'missing' && this.lower(path) !== undefined) makeWhiteout(this.at(path));
  }

  /** Hides everything that lower layers have in a folder. */
  hideBelow(path: string): void {
    if (path === '') {
      // The roots of layers are always merged: what is in them is hidden name by name.
      for (const name of this.#lower.list('')) this.whiteOut(name);
      return;
    }
    if (this.lower(path)?.stat.isDirectory() !== true) return;
    const gone = [...walkTree(this.at(path))].filter(({ stat }) => isWhiteout(stat)).map((node) => node.path);
    for (const inner of gone) unlinkSync(fsPath(`${this.at(path)}/${inner}`));
    this.#markOpaque(path);
  }

  /** What lower layers show at a real path of this layer. */
  lower(path: string): ReturnType<LowerView['lookup']> {
    return this.#isHidden(path) ? undefined : this.#lower.lookup(path);
  }

  /** To be called after a folder or link of this layer was moved away. */
  forget(): void {
    this.#resolved.clear();
    for (const path of this.#times.keys()) if (this.kindAt(path) !== 'folder') this.#times.delete(path);
    for (const path of this.#opaque) if (this.kindAt(path) !== 'folder') this.#opaque.delete(path);
  }

  /** Gives folders their times, which making their content has changed. */
  finish(): void {
    for (const [path, mtimeNs] of this.#times) setTimes(this.at(path), mtimeNs, mtimeNs);
  }

  #resolve(path: string): string {
    let current = '';
    let links = 0;
    const pending = path.split('/').reverse();
    for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
      if (name === '' || name === '.') continue;
      const next = current === '' ? name : `${current}/${name}`;
      if (name === '..') current = current.slice(0, Math.max(current.lastIndexOf('/'), 0));
      else {
        const target = this.#enter(next);
        if (target === undefined) current = next;
        else {
          links += 1;
          if (links > maxLinks) throw inTheWay(path, 'its links go in circles');
          if (target.startsWith('/')) current = '';
          pending.push(...target.split('/').reverse());
        }
      }
    }
    return current;
  }

  /** Makes sure that a real path is a folder; when it is a link instead, returns its target. */
  #enter(path: string): string | undefined {
    const kind = this.kindAt(path);
    if (kind === 'folder') return undefined;
    if (kind === 'link') return readLink(this.at(path));
    if (kind === 'other') throw inTheWay(path, 'a file is in its place');
    const below = kind === 'whiteout' ? undefined : this.lower(path);
    if (below?.stat.isSymbolicLink() === true) return readLink(below.at);
    if (below?.stat.isDirectory() !== true) {
      this.makeFolder(path, rootEntry);
      return undefined;
    }
    makeEntry(this.at(path), rootEntry);
    this.#likeBelow(path, below);
    return undefined;
  }

  #likeBelow(path: string, below: NonNullable<ReturnType<LowerView['lookup']>>): void {
    const entry = entryOfNode({ path, ...below }, new LinkFinder(), isOrdinaryXattr);
    this.setFolder(path, entry ?? rootEntry);
  }

  #markOpaque(path: string): void {
    setXattr(this.at(path), opaqueXattr, Buffer.from('y'));
    this.#opaque.add(path);
  }

  #isHidden(path: string): boolean {
    if (this.#opaque.size === 0) return false;
    for (let slash = path.lastIndexOf('/'); slash > 0; slash = path.lastIndexOf('/', slash - 1))
      if (this.#opaque.has(path.slice(0, slash))) return true;
    return this.#opaque.has('');
  }
}

const rootEntry: TarEntry = {
  path: '',
  type: 'directory',
  mode: 0o755,
  uid: 0,
  gid: 0,
  sizeBytes: 0,
  mtimeNs: 0n,
  linkTarget: '',
  deviceMajor: 0,
  deviceMinor: 0,
  xattrs: new Map(),
};

function inTheWay(path: string, state: string): StatusError {
  return new StatusError('InvalidArgument', `Cannot unpack into "${path}": ${state}; correct the archive`);
}
