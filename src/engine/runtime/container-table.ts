import { StatusError } from '#base/errors.ts';

import type { LiveContainer, LiveExec } from './live-container.ts';

const shortestPrefix = 1;

/** All containers by ID and by name, and all execs. */
export class ContainerTable {
  readonly #containers = new Map<string, LiveContainer>();
  readonly #ids = new Map<string, string>();
  readonly #execs = new Map<string, { readonly exec: LiveExec; readonly live: LiveContainer }>();

  values(): IterableIterator<LiveContainer> {
    return this.#containers.values();
  }

  add(live: LiveContainer): void {
    this.#containers.set(live.id, live);
    this.#ids.set(live.record.name, live.id);
  }

  remove(live: LiveContainer): void {
    this.#containers.delete(live.id);
    if (this.#ids.get(live.record.name) === live.id) this.#ids.delete(live.record.name);
    for (const id of live.execs.keys()) this.#execs.delete(id);
  }

  /** Reserves a name at once, before anything is durable. Throws Conflict with Docker's words. */
  reserve(name: string, id: string): void {
    const owner = this.#ids.get(name);
    if (owner !== undefined && owner !== id)
      throw new StatusError(
        'Conflict',
        `Conflict. The container name "/${name}" is already in use by container "${owner}". You have to remove (or rename) that container to be able to reuse that name.`,
      );
    this.#ids.set(name, id);
  }

  release(name: string, id: string): void {
    if (this.#ids.get(name) === id) this.#ids.delete(name);
  }

  isTaken(name: string): boolean {
    return this.#ids.has(name);
  }

  /** By ID, name (with or without a leading `/`) or unique prefix of the ID. */
  find(nameOrId: string): LiveContainer | undefined {
    const exact = this.#containers.get(nameOrId) ?? this.#byName(nameOrId.replace(/^\//, ''));
    if (exact !== undefined || nameOrId.length < shortestPrefix) return exact;
    if (!/^[0-9a-f]+$/.test(nameOrId)) return undefined;
    const matches = [...this.#containers.values()].filter(({ id }) => id.startsWith(nameOrId));
    if (matches.length > 1)
      throw new StatusError('InvalidArgument', `Multiple IDs found with provided prefix: ${nameOrId}`);
    return matches[0];
  }

  get(nameOrId: string): LiveContainer {
    const live = this.find(nameOrId);
    if (live === undefined) throw new StatusError('NotFound', `No such container: ${nameOrId}`);
    return live;
  }

  addExec(live: LiveContainer, exec: LiveExec): void {
    live.execs.set(exec.value.id, exec);
    this.#execs.set(exec.value.id, { exec, live });
  }

  removeExec(live: LiveContainer, id: string): void {
    live.execs.delete(id);
    this.#execs.delete(id);
  }

  findExec(id: string): { readonly exec: LiveExec; readonly live: LiveContainer } | undefined {
    return this.#execs.get(id);
  }

  #byName(name: string): LiveContainer | undefined {
    const id = this.#ids.get(name);
    return id === undefined ? undefined : this.#containers.get(id);
  }
}
