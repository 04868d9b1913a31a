import { StatusError } from '#base/errors.ts';
import { newId } from '#base/ids.ts';
import type { NewVolume, Volume, Volumes } from '#engine/volumes/volumes.ts';

/** Names of volumes, without anything in them. */
export class FakeVolumes implements Volumes {
  readonly #volumes = new Map<string, Volume>();
  readonly #holders = new Map<string, Set<string>>();

  get(name: string): Volume {
    const volume = this.find(name);
    if (volume === undefined) throw new StatusError('NotFound', `get ${name}: no such volume`);
    return volume;
  }

  find(name: string): Volume | undefined {
    return this.#volumes.get(name);
  }

  list(): readonly Volume[] {
    return [...this.#volumes.values()];
  }

  async create(request: NewVolume): Promise<Volume> {
    const name = request.name ?? newId();
    const volume: Volume = {
      name,
      mountpoint: `/volumes/${name}/_data`,
      createdAtMs: 1_700_000_000_000,
      labels: request.labels ?? {},
      options: request.options ?? {},
      anonymous: request.name === undefined,
    };
    this.#volumes.set(name, volume);
    return volume;
  }

  async remove(name: string): Promise<void> {
    const { name: found } = this.get(name);
    if (this.holders(found).length > 0) throw new StatusError('Conflict', `remove ${found}: volume is in use`);
    this.#volumes.delete(found);
  }

  async prune(all: boolean): ReturnType<Volumes['prune']> {
    const gone = this.list().filter(({ name, anonymous }) => (all || anonymous) && this.holders(name).length === 0);
    for (const { name } of gone) this.#volumes.delete(name);
    return { removed: gone.map(({ name }) => name), freedBytes: gone.length };
  }

  async sizeBytes(): Promise<number> {
    return 123;
  }

  hold(name: string, containerId: string): void {
    this.#holders.set(name, new Set(this.holders(name)).add(containerId));
  }

  release(name: string, containerId: string): void {
    this.#holders.get(name)?.delete(containerId);
  }

  holders(name: string): readonly string[] {
    return [...(this.#holders.get(name) ?? [])];
  }

  async open(name: string): Promise<string> {
    return this.get(name).mountpoint;
  }

  async close(): Promise<void> {}

  async closeUnused(): Promise<void> {}

  async copyUp(): Promise<void> {}

  status(): undefined {
    return undefined;
  }

  async resize(name: string): Promise<void> {
    this.get(name);
  }

  async *backup(name: string): AsyncGenerator<Uint8Array, void, undefined> {
    this.get(name);
    yield new Uint8Array();
  }

  async restore(name: string): Promise<Volume> {
    return this.create({ name });
  }
}
