import { after } from '#base/clock.ts';
import { isObject } from '#base/json.ts';
import { messageOf } from '#base/errors.ts';
import { ConcurrencyLimit } from '#base/limit.ts';
import type { Logger } from '#base/logger.ts';
import type { Resource } from '#kube/resource.ts';
import { ApiError } from '#kube/status.ts';
import { required } from '#base/assert.ts';

import type { ResourceTable } from '../resources/resource-table.ts';
import type { ObjectEvent } from '../storage/object-cache.ts';
import type { ObjectStorage } from '../storage/object-storage.ts';
import { deleteObject } from '../writes/delete-object.ts';
import { timeText } from '../writes/object-meta.ts';
import { updateObject } from '../writes/update-object.ts';
import type { WriteContext, WriteOptions } from '../writes/write-options.ts';

const deletionsAtOnce = 16;
const retryMs = 1000;

const options: WriteOptions = {
  user: {
    name: 'system:serviceaccount:kube-system:namespace-controller',
    uid: '',
    groups: ['system:masters'],
    extra: {},
  },
  isDryRun: false,
  manager: 'namespace-controller',
  subresource: '',
  warn: () => {},
  annotate: () => {},
};

export interface CleanerOptions {
  readonly context: WriteContext;
  readonly resources: ResourceTable;
  readonly logger: Logger;
}

/** Empties namespaces that are being deleted, and lets them go when nothing is left in them. */
export class NamespaceCleaner implements AsyncDisposable {
  readonly #options: CleanerOptions;
  readonly #closing = new AbortController();
  readonly #owned = new DisposableStack();
  readonly #running = new Map<string, Promise<void>>();

  constructor(cleanerOptions: CleanerOptions) {
    this.#options = cleanerOptions;
  }

  async start(): Promise<void> {
    const { storage } = required(this.#options.resources.find('', 'v1', 'namespaces'), 'the resource namespaces');
    await this.#follow(required(storage, 'the storage of namespaces'));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(new Error('the API server ends'));
    this.#owned[Symbol.dispose]();
    await Promise.all(this.#running.values());
  }

  async #follow(storage: ObjectStorage): Promise<void> {
    await storage.fresh(this.#closing.signal);
    this.#owned.use(
      storage.cache.read({
        event: ({ object, isRemoval }: ObjectEvent) => {
          if (!isRemoval) this.#see(object.object);
        },
        end: () => {
          if (!this.#closing.signal.aborted) void this.#follow(storage).catch(() => {});
        },
      }),
    );
    for (const { object } of storage.cache.list(storage.prefix)) this.#see(object);
  }

  #see({ metadata }: Resource): void {
    const name = metadata.name ?? '';
    if (metadata.deletionTimestamp === undefined || this.#running.has(name)) return;
    this.#running.set(
      name,
      this.#clean(name).finally(() => this.#running.delete(name)),
    );
  }

  /** Deletes what is in a namespace until nothing is; what is held by finalizers is looked at again and again. */
  async #clean(name: string): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      try {
        const left = await this.#deleteContent(name);
        if (left.length === 0) return await this.#finalize(name);
        await this.#report(name, left);
      } catch (error) {
        if (error instanceof ApiError && error.statusReason === 'NotFound') return;
        if (!signal.aborted) this.#options.logger.warn('namespace was not emptied', { name, error: messageOf(error) });
      }
      await pause(retryMs, signal);
    }
  }

  /** Resolves with what is still there after everything has been asked to go. */
  async #deleteContent(namespace: string): Promise<readonly Resource[]> {
    const { context, resources } = this.#options;
    const { signal } = this.#closing;
    const limit = new ConcurrencyLimit(deletionsAtOnce);
    const left: Resource[] = [];
    for (const resource of resources.storages()) {
      const { storage } = resource;
      if (storage?.isNamespaced !== true) continue;
      await storage.fresh(signal);
      const objects = storage.cache.list(storage.prefixOf(namespace)).map(({ object }) => object);
      await Promise.all(
        objects.map(({ metadata }) =>
          limit.run(async () => {
            const target = { namespace, name: metadata.name ?? '' };
            const deletion = {
              graceSeconds: undefined,
              propagation: 'Background',
              uid: undefined,
              resourceVersion: undefined,
            } as const;
            const { isGone, object } = await deleteObject(context, resource, target, deletion, options, signal).catch(
              whenGone,
            );
            if (!isGone && object !== undefined) left.push(object);
          }, signal),
        ),
      );
    }
    return left;
  }

  async #finalize(name: string): Promise<void> {
    const change = (namespace: Resource): Resource => {
      const spec = isObject(namespace['spec']) ? namespace['spec'] : {};
      const finalizers = Array.isArray(spec['finalizers']) ? spec['finalizers'] : [];
      return { ...namespace, spec: { ...spec, finalizers: finalizers.filter((one) => one !== 'kubernetes') } };
    };
    await this.#update(name, change, 'finalize');
  }

  /** Says in the namespace's conditions what it waits for (namespace/deletion/status_condition_utils.go). */
  async #report(name: string, left: readonly Resource[]): Promise<void> {
    const held = left.flatMap(({ metadata }) => metadata.finalizers ?? []);
    const time = timeText(this.#options.context.nowMs());
    const kindsLeft = countText(left.map(({ kind }) => kind));
    const conditions = [
      {
        type: 'NamespaceContentRemaining',
        status: 'True',
        reason: 'SomeResourcesRemain',
        message: `Some resources are remaining: ${kindsLeft}`,
      },
      ...(held.length === 0
        ? []
        : [
            {
              type: 'NamespaceFinalizersRemaining',
              status: 'True',
              reason: 'SomeFinalizersRemain',
              message: `Some content in the namespace has finalizers remaining: ${countText(held)}`,
            },
          ]),
    ];
    const change = (namespace: Resource): Resource => {
      const status = isObject(namespace['status']) ? namespace['status'] : {};
      const before = Array.isArray(status['conditions'])
        ? (status['conditions'] as { type?: string; message?: string }[])
        : [];
      const isSame = conditions.every((one) =>
        before.some(({ type, message }) => type === one.type && message === one.message),
      );
      if (isSame) return namespace;
      return {
        ...namespace,
        status: { ...status, conditions: conditions.map((one) => ({ ...one, lastTransitionTime: time })) },
      };
    };
    await this.#update(name, change, 'status');
  }

  async #update(name: string, change: (namespace: Resource) => Resource, subresource: string): Promise<void> {
    const { context, resources } = this.#options;
    const resource = required(resources.find('', 'v1', 'namespaces'), 'the resource namespaces');
    const update = { namespace: '', name, change, optionsKind: 'PatchOptions' } as const;
    await updateObject(context, resource, update, { ...options, subresource }, this.#closing.signal);
  }
}

/** What went by itself meanwhile is as good as deleted. */
function whenGone(error: unknown): { readonly isGone: true; readonly object: undefined } {
  if (error instanceof ApiError && error.statusReason === 'NotFound') return { isGone: true, object: undefined };
  throw error;
}

/** `Pod has 2 resource instances, ...`, as upstream counts them. */
function countText(names: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].map(([name, count]) => `${name} in ${String(count)} resource instances`).join(', ');
}

async function pause(delayMs: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  using _ = after(delayMs, resolve);
  const onAbort = (): void => resolve();
  signal.addEventListener('abort', onAbort, { once: true });
  await promise;
  signal.removeEventListener('abort', onAbort);
}
