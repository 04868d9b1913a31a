import type { ObjectChange, Objects, ResourceName } from '#apiserver/auth/objects.ts';
import { Channel } from '#base/channel.ts';
import type { Resource } from '#kube/resource.ts';
import { alreadyExists, conflict, notFound } from '#kube/status.ts';

const changesMost = 10_000;

/** Objects in memory, with resource versions and followers, as the server's storage has them. */
export class MemoryObjects implements Objects {
  readonly #objects = new Map<string, Resource>();
  readonly #followers = new Set<{ readonly start: string; readonly channel: Channel<ObjectChange> }>();
  #revision = 0;

  /** With these objects, each under the plural of its kind (lower case and an s, or as `plurals` says). */
  constructor(objects: readonly Resource[] = []) {
    for (const object of objects) this.put(object);
  }

  /** Writes whatever is there. */
  put(object: Resource, of: ResourceName = nameOfKind(object)): Resource {
    this.#revision += 1;
    const stored: Resource = {
      ...object,
      metadata: {
        uid: `uid-${String(this.#revision)}`,
        ...object.metadata,
        resourceVersion: String(this.#revision),
      },
    };
    this.#objects.set(keyOf(of, stored), stored);
    this.#tell(keyOf(of, stored), { type: 'put', object: stored });
    return stored;
  }

  remove(of: ResourceName, namespace: string, name: string): void {
    const key = `${startOf(of)}${namespace}/${name}`;
    const object = this.#objects.get(key);
    this.#objects.delete(key);
    if (object !== undefined) this.#tell(key, { type: 'remove', object });
  }

  async get(of: ResourceName, namespace: string, name: string): Promise<Resource | undefined> {
    return this.#objects.get(`${startOf(of)}${namespace}/${name}`);
  }

  async list(of: ResourceName, namespace: string): Promise<readonly Resource[]> {
    const start = namespace === '' ? startOf(of) : `${startOf(of)}${namespace}/`;
    return [...this.#objects].flatMap(([key, object]) => (key.startsWith(start) ? [object] : []));
  }

  async *follow(of: ResourceName, signal: AbortSignal): AsyncGenerator<ObjectChange> {
    const follower = { start: startOf(of), channel: new Channel<ObjectChange>(changesMost) };
    for (const object of await this.list(of, '')) follower.channel.push({ type: 'put', object });
    follower.channel.push({ type: 'synced', object: undefined });
    this.#followers.add(follower);
    signal.addEventListener('abort', () => follower.channel.close());
    yield* follower.channel;
  }

  async create(of: ResourceName, object: Resource): Promise<Resource> {
    const name = object.metadata.name ?? '';
    if (this.#objects.has(keyOf(of, object))) throw alreadyExists(of, name);
    return this.put(object, of);
  }

  async update(of: ResourceName, object: Resource): Promise<Resource> {
    const { name = '', resourceVersion } = object.metadata;
    const stored = this.#objects.get(keyOf(of, object));
    if (stored === undefined) throw notFound(of, name);
    if (stored.metadata.resourceVersion !== resourceVersion) throw conflict(of, name);
    return this.put(object, of);
  }

  async delete(of: ResourceName, object: Resource): Promise<void> {
    const { name = '', namespace = '', resourceVersion } = object.metadata;
    const stored = this.#objects.get(keyOf(of, object));
    if (stored === undefined) throw notFound(of, name);
    if (stored.metadata.resourceVersion !== resourceVersion) throw conflict(of, name);
    this.remove(of, namespace, name);
  }

  #tell(key: string, change: ObjectChange): void {
    for (const { start, channel } of this.#followers) if (key.startsWith(start)) channel.push(change);
  }
}

const plurals: Readonly<Record<string, string>> = {
  StorageClass: 'storageclasses',
  PriorityClass: 'priorityclasses',
  RuntimeClass: 'runtimeclasses',
  ValidatingAdmissionPolicy: 'validatingadmissionpolicies',
};

function nameOfKind({ apiVersion, kind }: Resource): ResourceName {
  const group = apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : '';
  return { group, resource: plurals[kind] ?? `${kind.toLowerCase()}s` };
}

function startOf({ group, resource }: ResourceName): string {
  return `${group}/${resource}/`;
}

function keyOf(of: ResourceName, { metadata: { namespace = '', name = '' } }: Resource): string {
  return `${startOf(of)}${namespace}/${name}`;
}
