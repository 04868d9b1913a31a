import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

import { StatusError } from '#base/errors.ts';
import type { Digest } from '#formats/oci.ts';
import type { Layer, Snapshots } from '#engine/snapshots/snapshots.ts';

/** Snapshots that are plain copies of folders: no root, no mounts. A layer's folder shows all below it as well. */
export class FakeSnapshots implements Snapshots {
  readonly #folder: string;
  readonly #layers = new Map<Digest, Layer>();
  readonly #writables = new Map<string, Digest | undefined>();

  constructor(folder: string) {
    this.#folder = folder;
    mkdirSync(join(folder, 'layers'), { recursive: true });
    mkdirSync(join(folder, 'writable'));
  }

  /** A layer with some files, by path. */
  async make(parent: Digest | undefined, files: Readonly<Record<string, string>>): Promise<Layer> {
    await this.create('make', parent);
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(join(this.mount('make'), path, '..'), { recursive: true });
      writeFileSync(join(this.mount('make'), path), text);
    }
    return await this.commit('make');
  }

  /** The text of a file as a layer shows it. */
  read(chainId: Digest, path: string): string {
    return readFileSync(join(this.#layerPath(chainId), path), 'utf8');
  }

  layer(chainId: Digest): Layer | undefined {
    return this.#layers.get(chainId);
  }

  layers(): readonly Layer[] {
    return [...this.#layers.values()];
  }

  async create(id: string, parent: Digest | undefined): Promise<void> {
    await Promise.resolve();
    if (this.#writables.has(id)) throw new StatusError('Conflict', `snapshot ${id} exists`);
    if (parent !== undefined && !this.#layers.has(parent)) throw new StatusError('NotFound', `no layer ${parent}`);
    if (parent === undefined) mkdirSync(this.mount(id));
    else cpSync(this.#layerPath(parent), this.mount(id), { recursive: true, verbatimSymlinks: true });
    this.#writables.set(id, parent);
  }

  mount(id: string): string {
    return join(this.#folder, 'writable', id);
  }

  unmount(): void {}

  upperPath(id: string): string {
    return this.mount(id);
  }

  isMounted(id: string): boolean {
    return this.#writables.has(id);
  }

  async commit(id: string): Promise<Layer> {
    await Promise.resolve();
    const parent = this.#writables.get(id);
    const diffId: Digest = `sha256:${hashTree(this.mount(id))}`;
    const chainId = parent === undefined ? diffId : digestOf(`${parent} ${diffId}`);
    const layer: Layer = { chainId, diffId, parent, sizeBytes: 1 };
    if (this.#layers.has(chainId)) rmSync(this.mount(id), { recursive: true });
    else renameSync(this.mount(id), this.#layerPath(chainId));
    this.#writables.delete(id);
    this.#layers.set(chainId, layer);
    return layer;
  }

  async remove(id: string): Promise<void> {
    await Promise.resolve();
    this.#writables.delete(id);
    rmSync(this.mount(id), { recursive: true, force: true });
  }

  async verify(): Promise<undefined> {
    return await Promise.resolve(undefined);
  }

  async removeLayer(chainId: Digest): Promise<void> {
    await Promise.resolve();
    const isParent = this.layers().some(({ parent }) => parent === chainId);
    if (isParent || [...this.#writables.values()].includes(chainId))
      throw new StatusError('Conflict', `layer ${chainId} is needed`);
    this.#layers.delete(chainId);
    rmSync(this.#layerPath(chainId), { recursive: true, force: true });
  }

  writables(): readonly string[] {
    return [...this.#writables.keys()];
  }

  group(): never {
    throw new Error('the fake unpacks nothing');
  }

  unpack(): never {
    throw new Error('not part of the fake');
  }

  pack(): never {
    throw new Error('not part of the fake');
  }

  changes(): never {
    throw new Error('not part of the fake');
  }

  writtenBytes(): never {
    throw new Error('not part of the fake');
  }

  commitCopy(): never {
    throw new Error('not part of the fake');
  }

  #layerPath(chainId: Digest): string {
    return join(this.#folder, 'layers', chainId.slice('sha256:'.length));
  }
}

function digestOf(text: string): Digest {
  return `sha256:${createHash('sha256').update(text).digest('hex')}`;
}

function hashTree(folder: string): string {
  const hash = createHash('sha256');
  for (const name of existsSync(folder) ? readdirSync(folder).sort() : []) {
    const path = join(folder, name);
    hash.update(`${name}\n`);
    const stats = lstatSync(path);
    if (stats.isDirectory()) hash.update(hashTree(path));
    else hash.update(stats.isSymbolicLink() ? readlinkSync(path) : readFileSync(path));
  }
  return hash.digest('hex');
}
