import { isObject } from '#base/json.ts';
import { StatusError } from '#base/errors.ts';

import type { Resource } from '../resource.ts';
import type {
  ApplyOptions,
  Client,
  DeleteOptions,
  KindOf,
  List,
  ListOptions,
  ObjectKey,
  Patch,
  WatchEvent,
  WatchOptions,
  WriteOptions,
} from './client.ts';
import { keyOf } from './client.ts';
import { errorOfStatus, readAnswer, readLines } from './read-answer.ts';
import { collectionPath, listQuery, objectPath, watchQuery, writeQuery } from './request-path.ts';
import type { ApiRequest, Transport } from './transport.ts';

const json = 'application/json';
const patchTypes = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
} as const satisfies Record<Patch['type'], string>;
/** JSON is YAML. */
const applyType = 'application/apply-patch+yaml';

/** A Client over a transport: paths, queries and bodies as every Kubernetes API takes them. */
export function createClient(transport: Transport): Client {
  return new TransportClient(transport);
}

class TransportClient implements Client {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  async get<R extends Resource>(kind: KindOf<R>, key: ObjectKey, signal: AbortSignal): Promise<R> {
    return readObject(await this.#ask({ method: 'GET', path: objectPath(kind, key) }, signal)) as R;
  }

  async list<R extends Resource>(kind: KindOf<R>, options: ListOptions, signal: AbortSignal): Promise<List<R>> {
    const path = collectionPath(kind, options.namespace ?? '') + listQuery(options);
    return readList(await this.#ask({ method: 'GET', path }, signal), kind);
  }

  async *watch<R extends Resource>(
    kind: KindOf<R>,
    options: WatchOptions,
    signal: AbortSignal,
  ): AsyncGenerator<WatchEvent<R>> {
    const path = collectionPath(kind, options.namespace ?? '') + watchQuery(options);
    const response = await this.#transport.send({ method: 'GET', path, isStream: true }, signal);
    for await (const line of readLines(response)) yield readEvent<R>(line);
  }

  async create<R extends Resource>(kind: KindOf<R>, object: R, options: WriteOptions, signal: AbortSignal): Promise<R> {
    const key = keyOf(object);
    const { subresource = '' } = options;
    const path = subresource === '' ? collectionPath(kind, key.namespace) : objectPath(kind, key, subresource);
    const body = JSON.stringify(object);
    return readObject(
      await this.#ask({ method: 'POST', path: path + writeQuery(options), contentType: json, body }, signal),
    ) as R;
  }

  async update<R extends Resource>(kind: KindOf<R>, object: R, options: WriteOptions, signal: AbortSignal): Promise<R> {
    const path = objectPath(kind, keyOf(object), options.subresource) + writeQuery(options);
    return readObject(
      await this.#ask({ method: 'PUT', path, contentType: json, body: JSON.stringify(object) }, signal),
    ) as R;
  }

  async patch<R extends Resource>(
    kind: KindOf<R>,
    key: ObjectKey,
    patch: Patch,
    options: WriteOptions,
    signal: AbortSignal,
  ): Promise<R> {
    const path = objectPath(kind, key, options.subresource) + writeQuery(options);
    const body = JSON.stringify(patch.type === 'json' ? patch.operations : patch.body);
    return readObject(
      await this.#ask({ method: 'PATCH', path, contentType: patchTypes[patch.type], body }, signal),
    ) as R;
  }

  async apply<R extends Resource>(kind: KindOf<R>, object: R, options: ApplyOptions, signal: AbortSignal): Promise<R> {
    const path = objectPath(kind, keyOf(object), options.subresource) + writeQuery(options);
    const body = JSON.stringify(object);
    return readObject(await this.#ask({ method: 'PATCH', path, contentType: applyType, body }, signal)) as R;
  }

  async delete(kind: KindOf, key: ObjectKey, options: DeleteOptions, signal: AbortSignal): Promise<void> {
    const { dryRun, ...rest } = options;
    const body = JSON.stringify({
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      ...rest,
      ...(dryRun === true ? { dryRun: ['All'] } : {}),
    });
    await this.#ask({ method: 'DELETE', path: objectPath(kind, key), contentType: json, body }, signal);
  }

  async #ask(request: Omit<ApiRequest, 'isStream'>, signal: AbortSignal): Promise<unknown> {
    return readAnswer(await this.#transport.send({ ...request, isStream: false }, signal));
  }
}

function readObject(value: unknown): Resource {
  if (!isObject(value) || !isObject(value['metadata'])) throw unexpected('an object');
  return value as unknown as Resource;
}

/** Items of a list carry no kind of their own. */
function readList<R extends Resource>(value: unknown, { group, version, kind }: KindOf<R>): List<R> {
  const items: unknown = isObject(value) ? (value['items'] ?? []) : undefined;
  const metadata: unknown = isObject(value) ? value['metadata'] : undefined;
  if (!Array.isArray(items) || !items.every(isObject) || !isObject(metadata)) throw unexpected('a list');
  const apiVersion = group === '' ? version : `${group}/${version}`;
  return {
    items: items.map((item) => ({ apiVersion, kind, ...item }) as unknown as R),
    resourceVersion: textOf(metadata['resourceVersion']),
    continue: textOf(metadata['continue']),
  };
}

const eventTypes: ReadonlySet<unknown> = new Set<WatchEvent['type']>(['ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK']);

function readEvent<R extends Resource>(line: unknown): WatchEvent<R> {
  if (!isObject(line)) throw unexpected('an event of a watch');
  if (line['type'] === 'ERROR') throw errorOfStatus(line['object']) ?? unexpected('an event of a watch');
  if (!eventTypes.has(line['type'])) throw unexpected('an event of a watch');
  return { type: line['type'] as WatchEvent['type'], object: readObject(line['object']) as R };
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function unexpected(what: string): StatusError {
  return new StatusError('Damaged', `the server sent something else than ${what}`);
}
