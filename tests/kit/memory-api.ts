import { Channel } from '#base/channel.ts';
import { isObject } from '#base/json.ts';
import type { ApiRequest, ApiResponse, Transport } from '#kube/client/transport.ts';
import { applyMergePatch } from '#kube/patch/merge-patch.ts';
import type { Resource } from '#kube/resource.ts';
import { alreadyExists, ApiError, badRequest, conflict, notFound, statusOf } from '#kube/status.ts';

interface Event {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly version: number;
  readonly collection: string;
  readonly namespace: string;
  readonly object: unknown;
}

interface Watch {
  readonly place: Place;
  readonly channel: Channel<Uint8Array>;
}

interface Place {
  /** Group, version and plural. */
  readonly collection: string;
  readonly namespace: string;
  readonly name: string;
}

export interface MemoryApiOptions {
  /** Whether watches can begin with what is there; otherwise they are refused, as servers did before 1.32. */
  readonly hasWatchList: boolean;
}

/** A small Kubernetes API in memory: lists, watches with history, optimistic locking. It checks no schemas. */
export class MemoryApi implements Transport {
  /** `GET /api/v1/pods` and so on, as they came. */
  readonly requests: string[] = [];
  /** Errors that the next requests get, by a part of `METHOD path`. */
  readonly failures: { match: string; error: unknown }[] = [];
  readonly #objects = new Map<string, Resource>();
  readonly #options: MemoryApiOptions;
  #history: Event[] = [];
  #watches = new Set<Watch>();
  #version = 100;
  #forgottenUntil = 0;

  constructor(options: MemoryApiOptions = { hasWatchList: true }) {
    this.#options = options;
  }

  get watchers(): number {
    return this.#watches.size;
  }

  async send(request: ApiRequest, signal: AbortSignal): Promise<ApiResponse> {
    signal.throwIfAborted();
    const line = `${request.method} ${request.path}`;
    this.requests.push(line);
    await Promise.resolve();
    try {
      const at = this.failures.findIndex(({ match }) => line.includes(match));
      if (at >= 0) throw this.failures.splice(at, 1)[0]?.error;
      return this.#answer(request, signal);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      const status = statusOf(error);
      return answer(status.code ?? 500, status, status.details?.retryAfterSeconds);
    }
  }

  /** Writes an object without a client, as somebody else would. */
  put(path: string, object: Record<string, unknown>): Resource {
    const place = placeOf(path);
    const text = keyText(place);
    const old = this.#objects.get(text);
    this.#version += 1;
    const metadata = { uid: `uid-${String(this.#version)}`, ...old?.metadata, ...(object['metadata'] as object) };
    const stored = {
      ...object,
      metadata: { ...metadata, resourceVersion: String(this.#version) },
    } as unknown as Resource;
    this.#objects.set(text, stored);
    this.#tell(old === undefined ? 'ADDED' : 'MODIFIED', place, stored);
    return stored;
  }

  remove(path: string): void {
    const place = placeOf(path);
    const old = this.#objects.get(keyText(place));
    if (old === undefined) throw notFound({ group: '', resource: place.collection }, place.name);
    this.#objects.delete(keyText(place));
    this.#version += 1;
    this.#tell('DELETED', place, { ...old, metadata: { ...old.metadata, resourceVersion: String(this.#version) } });
  }

  /** Forgets all changes until now: watches from before get 410. */
  compact(): void {
    this.#history = [];
    this.#forgottenUntil = this.#version;
  }

  /** Ends all watches, in good order or with an error as a broken connection gives. */
  cutWatches(error?: Error): void {
    for (const { channel } of this.#watches) {
      if (error === undefined) channel.close();
      else channel.fail(error);
    }
    this.#watches.clear();
  }

  #answer({ method, path, body }: ApiRequest, signal: AbortSignal): ApiResponse {
    const url = new URL(path, 'http://api');
    const place = placeOf(url.pathname);
    const given = body === undefined ? undefined : (JSON.parse(body) as Record<string, unknown>);
    const current = this.#objects.get(keyText(place));
    const missing = notFound({ group: '', resource: place.collection.split('/').at(-1) ?? '' }, place.name);
    if (method === 'GET' && place.name === '')
      return url.searchParams.has('watch')
        ? this.#watch(place, url.searchParams, signal)
        : this.#list(place, url.searchParams);
    if (method === 'POST') {
      const name = (given?.['metadata'] as { name?: string } | undefined)?.name ?? '';
      if (this.#objects.has(keyText({ ...place, name }))) throw alreadyExists({ group: '', resource: 'things' }, name);
      return answer(
        201,
        this.put(`${url.pathname}/${name}`, {
          ...given,
          metadata: { ...(given?.['metadata'] as object), namespace: place.namespace },
        }),
      );
    }
    if (current === undefined) throw missing;
    if (method === 'GET') return answer(200, current);
    if (method === 'DELETE') {
      this.remove(url.pathname);
      return answer(200, { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success' });
    }
    const next = method === 'PATCH' ? applyMergePatch(current, given) : { ...given };
    const version = (next['metadata'] as Resource['metadata']).resourceVersion;
    if (version !== undefined && version !== current.metadata.resourceVersion)
      throw conflict({ group: '', resource: 'things' }, place.name);
    return answer(200, this.put(url.pathname, next));
  }

  #list(place: Place, search: URLSearchParams): ApiResponse {
    const after = search.get('continue') ?? '';
    const limit = Number(search.get('limit') ?? Infinity);
    const found = this.#within(place).filter(([key]) => key > after);
    const page = found.slice(0, limit);
    const more = found.length > page.length ? (page.at(-1)?.[0] ?? '') : '';
    const metadata = { resourceVersion: String(this.#version), ...(more === '' ? {} : { continue: more }) };
    return answer(200, { kind: 'List', apiVersion: 'v1', metadata, items: page.map(([, object]) => object) });
  }

  #watch(place: Place, search: URLSearchParams, signal: AbortSignal): ApiResponse {
    const isInitial = search.get('sendInitialEvents') === 'true';
    if (isInitial && !this.#options.hasWatchList)
      throw new ApiError('Invalid', 'ListOptions.meta.k8s.io "" is invalid: sendInitialEvents: Forbidden');
    const since = Number(search.get('resourceVersion') ?? '0');
    if (!isInitial && since < this.#forgottenUntil)
      throw new ApiError('Expired', `too old resource version: ${String(since)} (${String(this.#version)})`);
    if (Number.isNaN(since)) throw badRequest('invalid resource version');
    const channel = new Channel<Uint8Array>(10_000);
    const watch = { place, channel };
    if (isInitial) {
      for (const [, object] of this.#within(place)) channel.push(line({ type: 'ADDED', object }));
      const annotations = { 'k8s.io/initial-events-end': 'true' };
      const metadata = { resourceVersion: String(this.#version), annotations };
      channel.push(line({ type: 'BOOKMARK', object: { kind: 'Thing', apiVersion: 'v1', metadata } }));
    } else
      for (const event of this.#history) if (event.version > since && isWithin(event, place)) channel.push(line(event));
    this.#watches.add(watch);
    const end = (): void => {
      this.#watches.delete(watch);
      channel.fail(signal.reason);
    };
    signal.addEventListener('abort', end, { once: true });
    return { status: 200, retryAfterSeconds: undefined, body: channel };
  }

  #tell(type: Event['type'], place: Place, object: Resource): void {
    const event: Event = {
      type,
      version: this.#version,
      collection: place.collection,
      namespace: place.namespace,
      object,
    };
    this.#history.push(event);
    for (const watch of this.#watches) if (isWithin(event, watch.place)) watch.channel.push(line(event));
  }

  #within({ collection, namespace }: Place): [string, Resource][] {
    const prefix = namespace === '' ? `${collection}|` : `${collection}|${namespace}|`;
    return [...this.#objects]
      .filter(([key]) => key.startsWith(prefix))
      .toSorted(([left], [right]) => (left < right ? -1 : 1));
  }
}

function isWithin(event: Event, { collection, namespace }: Place): boolean {
  return event.collection === collection && (namespace === '' || event.namespace === namespace);
}

function placeOf(path: string): Place {
  const match = /^\/(?:api|apis\/([^/]+))\/([^/]+)(?:\/namespaces\/([^/]+))?\/([^/]+)(?:\/([^/]+))?(?:\/[a-z]+)?$/.exec(
    path,
  );
  if (match === null) throw badRequest(`no such path: ${path}`);
  const [, group = '', version = '', namespace = '', plural = '', name = ''] = match;
  return { collection: `${group}/${version}/${plural}`, namespace, name: decodeURIComponent(name) };
}

function keyText({ collection, namespace, name }: Place): string {
  return `${collection}|${namespace}|${name}`;
}

function line(event: { type: string; object: unknown }): Uint8Array {
  return Buffer.from(`${JSON.stringify({ type: event.type, object: event.object })}\n`);
}

function answer(status: number, value: unknown, retryAfterSeconds?: number): ApiResponse {
  const bytes = Buffer.from(isObject(value) ? JSON.stringify(value) : String(value));
  return { status, retryAfterSeconds, body: chunksOf(bytes) };
}

async function* chunksOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  const half = Math.ceil(bytes.byteLength / 2);
  yield bytes.subarray(0, half);
  yield bytes.subarray(half);
}
