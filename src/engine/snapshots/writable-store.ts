import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readlinkSync,
  rmSync,
  statfsSync,
  symlinkSync,
} from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

import { StatusError } from '#base/errors.ts';
import type { Logger } from '#base/logger.ts';
import type { Digest } from '#formats/oci.ts';
import { makeFolderDurably, syncFolder } from '#sys/durable-file.ts';
import { mountsBelow } from '#sys/mount-info.ts';
import { bindMapped, mountOverlay, unmount, unmountSurely } from '#sys/mounts.ts';
import { removeTree } from '#sys/tree/remove-tree.ts';

import type { LayerStore } from './layer-store.ts';
import type { MountHow } from './snapshots.ts';

interface Writable {
  readonly parent: Digest | undefined;
  readonly hold: Disposable;
}

/** Target of the `parent` link of a snapshot that stands on nothing. */
const nothing = 'nothing';
const overlayMagic = 0x794c7630;
/** So that the upper folder tells the whole truth: no redirects, no files without data, no hidden index. */
const options = ['redirect_dir=off', 'metacopy=off', 'index=off'];
const idPattern = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/;

/**
 * The writable snapshots: `writable/<id>/` with `upper`, `work`, `merged`, and the link `parent` that names the layer's
 * number and is made last.
 */
export class WritableStore {
  readonly #folder: string;
  readonly #layers: LayerStore;
  readonly #writables = new Map<string, Writable>();
  readonly #dataDir: string;
  readonly #mapped: string;

  private constructor(dataDir: string, layers: LayerStore) {
    this.#dataDir = dataDir;
    this.#mapped = join(dataDir, 'mapped');
    this.#folder = join(dataDir, 'writable');
    this.#layers = layers;
  }

  static async open(dataDir: string, layers: LayerStore, logger: Logger): Promise<WritableStore> {
    const store = new WritableStore(dataDir, layers);
    await makeFolderDurably(store.#folder);
    await makeFolderDurably(join(dataDir, 'empty'));
    // There for the moment of a mount only, so a kill may leave it.
    while (unmount(store.#mapped, { lazy: true }));
    for (const id of await readdir(store.#folder)) await store.#load(id, logger);
    return store;
  }

  list(): readonly string[] {
    return [...this.#writables.keys()];
  }

  parentOf(id: string): Digest | undefined {
    return this.#get(id).parent;
  }

  async create(id: string, parent: Digest | undefined): Promise<void> {
    if (!idPattern.test(id))
      throw new StatusError('InvalidArgument', `Cannot make snapshot "${id}": the name is not valid`);
    if (this.#writables.has(id))
      throw new StatusError('Conflict', `Cannot make snapshot "${id}": it exists already; remove it first`);
    this.#layers.checkUsable(parent);
    const writable = { parent, hold: this.#layers.hold(parent) };
    this.#writables.set(id, writable);
    try {
      await this.#makeFolders(id, parent);
    } catch (error) {
      await this.remove(id);
      throw error;
    }
  }

  mount(id: string, { volatile = false, owners }: MountHow): string {
    const { parent } = this.#get(id);
    const target = join(this.#folder, id, 'merged');
    if (owners !== undefined) this.unmount(id);
    if (this.isMounted(id)) return target;
    this.#layers.checkUsable(parent);
    const lowers = this.#layers.lowersOf(parent);
    using view = owners === undefined || owners === 'stored' ? undefined : this.#mapAll(owners);
    mountOverlay({
      target,
      folder: view?.layers ?? this.#layers.folder,
      lowers: lowers.length === 0 ? ['../empty'] : lowers,
      upper: `../writable/${id}/upper`,
      work: `../writable/${id}/work`,
      options: [...options, ...(volatile ? ['volatile'] : [])],
    });
    return target;
  }

  /** All folders with their owners mapped: an overlay keeps those that it was mounted from. */
  #mapAll(userNamespace: number): { readonly layers: string } & Disposable {
    mkdirSync(this.#mapped, { recursive: true, mode: 0o700 });
    bindMapped(this.#dataDir, this.#mapped, userNamespace);
    return { layers: join(this.#mapped, 'layers'), [Symbol.dispose]: () => unmountSurely(this.#mapped) };
  }

  unmount(id: string): void {
    const target = join(this.#folder, id, 'merged');
    if (!this.isMounted(id)) return;
    while (this.isMounted(id)) unmountSurely(target);
    // What a volatile mount leaves forbids the next one, for a crash of the machine in between: there was none.
    rmSync(join(this.#folder, id, 'work', 'work', 'incompat'), { recursive: true, force: true });
  }

  isMounted(id: string): boolean {
    const target = join(this.#folder, id, 'merged');
    return existsSync(target) && statfsSync(target).type === overlayMagic;
  }

  upper(id: string): string {
    this.#get(id);
    return join(this.#folder, id, 'upper');
  }

  /** Idempotent. The snapshot is gone from `list` at once. */
  async remove(id: string): Promise<void> {
    const writable = this.#writables.get(id);
    if (writable === undefined) return;
    this.unmount(id);
    this.#writables.delete(id);
    writable.hold[Symbol.dispose]();
    const path = join(this.#folder, id);
    if (existsSync(path)) await this.#layers.discard(path, false);
  }

  #get(id: string): Writable {
    const writable = this.#writables.get(id);
    if (writable === undefined)
      throw new StatusError('NotFound', `Cannot find snapshot "${id}": it does not exist; list the snapshots`);
    return writable;
  }

  async #makeFolders(id: string, parent: Digest | undefined): Promise<void> {
    const path = join(this.#folder, id);
    await removeTree(path);
    mkdirSync(path, { mode: 0o700 });
    for (const name of ['upper', 'work', 'merged']) mkdirSync(join(path, name), { mode: 0o755 });
    if (parent !== undefined) {
      // The upper folder's attributes are those of the root that the container sees.
      const root = lstatSync(join(this.#layers.folderOf(parent), 'fs'));
      chownSync(join(path, 'upper'), root.uid, root.gid);
      chmodSync(join(path, 'upper'), root.mode & 0o7777);
    }
    symlinkSync(parent === undefined ? nothing : this.#layers.numberOf(parent), join(path, 'parent'));
    await Promise.all([syncFolder(path), syncFolder(this.#folder)]);
  }

  /** Half-made ones go; those whose layer is gone stay for a person to look at, but cannot be used. */
  async #load(id: string, logger: Logger): Promise<void> {
    const path = join(this.#folder, id);
    const link = lstatSync(join(path, 'parent'), { throwIfNoEntry: false });
    if (link?.isSymbolicLink() !== true || !existsSync(join(path, 'upper'))) {
      for (const { mountPoint } of mountsBelow(path)) unmount(mountPoint, { lazy: true });
      await removeTree(path);
      return;
    }
    const number = readlinkSync(join(path, 'parent'));
    const parent = number === nothing ? undefined : this.#layers.byNumber(number);
    if (parent === undefined && number !== nothing) {
      logger.error('snapshot without its layer', { id, number });
      return;
    }
    this.#writables.set(id, { parent, hold: this.#layers.hold(parent) });
  }
}
