import { linkSync, mkdirSync, renameSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';

import { StatusError } from '#base/errors.ts';
import type { TarEntry } from '#formats/tar-entry.ts';
import type { TarEvents } from '#formats/tar/tar-parser.ts';
import { hasCode } from '#sys/errno.ts';
import { fsPath } from '#sys/file-path.ts';
import { unpackError } from '#sys/tree/extract-tar.ts';
import { FileSink, makeEntry, setAttributes } from '#sys/tree/make-entry.ts';
import { cleanPath } from '#sys/tree/tree-writer.ts';

import { copyUpFile } from './copy-up-file.ts';
import { LayerFolder } from './layer-folder.ts';
import type { LowerView } from './lower-view.ts';
import type { RecipeWriter } from './recipe.ts';

/** Something that a later entry of the same archive replaced: it moved to `extra/<to>` for packing. */
export interface Displaced {
  readonly path: string;
  /** Bodies of the recipe with a smaller index were written before it moved. */
  readonly before: number;
  readonly to: number;
}

const whiteoutPrefix = '.wh.';
const opaqueName = '.wh..wh..opq';
/** Names that aufs kept for itself; Docker leaves them out too. */
const aufsPrefix = '.wh..wh.';

/**
 * Turns the entries of a layer's archive into files as overlayfs wants them. The archive is hostile: whatever its names,
 * links and whiteouts say, nothing outside `<folder>/fs` is made, changed or linked to.
 */
export class LayerUnpacker implements TarEvents, Disposable {
  readonly displaced: Displaced[] = [];
  readonly #extra: string;
  readonly #recipe: RecipeWriter;
  readonly #layer: LayerFolder;
  #file: { readonly path: string; readonly sink: FileSink } | undefined;
  #path = '';
  #sizeBytes = 0;

  constructor(folder: string, lower: LowerView, recipe: RecipeWriter) {
    mkdirSync(join(folder, 'fs'), { mode: 0o755 });
    this.#extra = join(folder, 'extra');
    this.#recipe = recipe;
    this.#layer = new LayerFolder(join(folder, 'fs'), lower);
  }

  /** Bytes of all regular files so far. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  onRaw(bytes: Uint8Array): void {
    this.#recipe.raw(bytes);
  }

  onEntry(entry: TarEntry): void {
    this.#path = entry.path;
    this.#guarded(() => this.#unpack(entry));
  }

  onBody(bytes: Uint8Array, offset: number): void {
    const file = this.#file;
    if (file === undefined) {
      this.#recipe.raw(bytes);
      return;
    }
    this.#guarded(() => file.sink.write(bytes, offset));
    this.#recipe.body(file.path, offset, bytes.length);
  }

  onEntryEnd(): void {
    this.#recipe.endBody();
    this.#guarded(() => this.#file?.sink.finish());
    this.#file = undefined;
  }

  finish(): void {
    this.#layer.finish();
  }

  [Symbol.dispose](): void {
    this.#file?.sink[Symbol.dispose]();
    this.#file = undefined;
  }

  #unpack(entry: TarEntry): void {
    const { folder, name } = splitPath(entry.path);
    if (name === '') {
      if (entry.type !== 'directory') throw refused(entry.path, 'it would replace the root');
      this.#layer.setFolder('', entry);
      return;
    }
    if (folder.split('/').some((part) => part.startsWith(aufsPrefix))) return;
    if (folder.split('/').some((part) => part.startsWith(whiteoutPrefix)))
      throw refused(entry.path, 'a folder on its way is a whiteout');
    if (name.startsWith(whiteoutPrefix)) this.#whiteOut(entry, folder, name);
    else this.#make(entry, inFolder(this.#layer.folder(folder), name));
  }

  #whiteOut(entry: TarEntry, folder: string, name: string): void {
    if (name === opaqueName) {
      this.#layer.hideBelow(this.#layer.folder(folder));
      return;
    }
    if (name.startsWith(aufsPrefix)) return;
    const hidden = name.slice(whiteoutPrefix.length);
    if (hidden === '' || hidden === '.' || hidden === '..') throw refused(entry.path, 'its whiteout leads outside');
    this.#layer.whiteOut(inFolder(this.#layer.folder(folder), hidden));
  }

  #make(entry: TarEntry, path: string): void {
    if (entry.type === 'directory') this.#makeFolder(entry, path);
    else if (entry.type === 'hardlink') this.#link(entry, path);
    else if (entry.type === 'character' && entry.deviceMajor === 0 && entry.deviceMinor === 0)
      this.#layer.whiteOut(path);
    else if (entry.type === 'file') {
      this.#sizeBytes += entry.sizeBytes;
      const sink = this.#replacing(path, () => new FileSink(this.#layer.at(path), entry));
      this.#file = { path, sink };
    } else {
      this.#replacing(path, () => makeEntry(this.#layer.at(path), entry));
      setAttributes(this.#layer.at(path), entry);
    }
  }

  #makeFolder(entry: TarEntry, path: string): void {
    const kind = this.#layer.kindAt(path);
    if (kind === 'folder') {
      this.#layer.setFolder(path, entry);
      return;
    }
    if (kind === 'link' || kind === 'other') this.#displace(path);
    this.#layer.makeFolder(path, entry);
  }

  /** Hard links to files of lower layers get a copy of them in this layer, as overlayfs itself would make. */
  #link(entry: TarEntry, path: string): void {
    const target = splitPath(entry.linkTarget);
    const real = inFolder(this.#layer.folder(target.folder), target.name);
    if (target.name === '') throw refused(entry.path, 'it is a hard link to a folder');
    if (real === path) return;
    const kind = this.#layer.kindAt(real);
    if (kind === 'folder') throw refused(entry.path, 'it is a hard link to a folder');
    if (kind === 'missing' || kind === 'whiteout') {
      const below = kind === 'missing' ? this.#layer.lower(real) : undefined;
      if (below === undefined || below.stat.isDirectory())
        throw refused(entry.path, `its target "${entry.linkTarget}" is not a file of the image`);
      copyUpFile({ path: real, ...below }, this.#layer.at(real));
    }
    this.#replacing(path, () => linkSync(fsPath(this.#layer.at(real)), fsPath(this.#layer.at(path))));
  }

  #replacing<T>(path: string, make: () => T): T {
    try {
      return make();
    } catch (error) {
      if (!hasCode(error, 'EEXIST')) throw error;
    }
    if (this.#layer.kindAt(path) === 'whiteout') unlinkSync(fsPath(this.#layer.at(path)));
    else this.#displace(path);
    return make();
  }

  #displace(path: string): void {
    mkdirSync(this.#extra, { recursive: true, mode: 0o700 });
    const to = this.displaced.length;
    renameSync(fsPath(this.#layer.at(path)), join(this.#extra, String(to)));
    this.displaced.push({ path, before: this.#recipe.bodies, to });
    this.#layer.forget();
  }

  #guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      throw unpackError(this.#path, error);
    }
  }
}

function splitPath(path: string): { readonly folder: string; readonly name: string } {
  const clean = cleanPath(path);
  if (clean === undefined) throw refused(path, 'it leads outside');
  const slash = clean.lastIndexOf('/');
  return { folder: clean.slice(0, Math.max(slash, 0)), name: clean.slice(slash + 1) };
}

function inFolder(folder: string, name: string): string {
  return folder === '' ? name : `${folder}/${name}`;
}

function refused(path: string, state: string): StatusError {
  return new StatusError('InvalidArgument', `Cannot unpack "${path}": ${state}; correct the archive`);
}
