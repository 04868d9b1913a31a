import { after, sleep } from '#base/clock.ts';
import { messageOf } from '#base/errors.ts';
import type { Logger } from '#base/logger.ts';
import type { OwnerReference, Resource } from '#kube/resource.ts';
import { ApiError } from '#kube/status.ts';

import type { ResourceTable } from '../resources/resource-table.ts';
import type { ServedResource } from '../resources/served-resource.ts';
import type { CacheReader, ObjectEvent } from '../storage/object-cache.ts';
import { deleteObject } from '../writes/delete-object.ts';
import { updateObject } from '../writes/update-object.ts';
import type { WriteContext, WriteOptions } from '../writes/write-options.ts';
import { Dependents, nodeOf, type Node } from './dependents.ts';
import { planCollection, type OwnerState, type Step } from './plan-collection.ts';

const retryMs = 1000;

/** Who the collector is for admission and the audit log. */
const options: WriteOptions = {
  user: {
    name: 'system:serviceaccount:kube-system:generic-garbage-collector',
    uid: '',
    groups: ['system:masters'],
    extra: {},
  },
  isDryRun: false,
  manager: 'garbage-collector',
  subresource: '',
  warn: () => {},
  annotate: () => {},
};

export interface CollectorOptions {
  readonly context: WriteContext;
  readonly resources: ResourceTable;
  readonly logger: Logger;
}

/** Deletes objects whose owners are gone, and lets owners go that wait for their dependents. */
export class GarbageCollector implements AsyncDisposable {
  readonly #options: CollectorOptions;
  readonly #graph = new Dependents();
  readonly #followed = new Map<ServedResource, Disposable>();
  readonly #closing = new AbortController();
  /** Objects to look at, by uid. */
  readonly #dirty = new Set<string>();
  #working: Promise<void> | undefined;
  #retry: Disposable | undefined;
  #isReady = false;

  constructor(collectorOptions: CollectorOptions) {
    this.#options = collectorOptions;
  }

  /** Reads all objects and follows them from then on. */
  async start(): Promise<void> {
    const { resources } = this.#options;
    resources.onChange(
      () =>
        void this.#followAll().then(
          () => this.#wake(),
          () => {},
        ),
    );
    await this.#followAll();
    this.#isReady = true;
    for (const node of this.#graph.owned()) this.#dirty.add(node.uid);
    this.#wake();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(new Error('the API server ends'));
    this.#retry?.[Symbol.dispose]();
    for (const reader of this.#followed.values()) reader[Symbol.dispose]();
    await this.#working;
  }

  async #followAll(): Promise<void> {
    const served = this.#options.resources.storages();
    for (const [resource, reader] of this.#followed) {
      if (served.includes(resource)) continue;
      reader[Symbol.dispose]();
      this.#followed.delete(resource);
    }
    await Promise.all(served.filter((one) => !this.#followed.has(one)).map(async (one) => await this.#follow(one)));
  }

  async #follow(resource: ServedResource): Promise<void> {
    const { storage } = resource;
    // Events have no owners, and there are many of them.
    if (storage === undefined || storage.of.resource === 'events') return;
    await storage.fresh(this.#closing.signal);
    const reader: CacheReader = {
      event: (event) => this.#see(resource, event),
      end: () => {
        this.#followed.delete(resource);
        void this.#followAgain(resource);
      },
    };
    this.#followed.set(resource, storage.cache.read(reader));
    const listed = storage.cache.list(storage.prefix);
    const there = new Set(listed.map(({ object }) => object.metadata.uid));
    for (const { uid } of this.#graph.ofResource(resource)) if (!there.has(uid)) this.#forget(uid);
    for (const { object } of listed) this.#put(resource, object);
  }

  /** After changes were missed; as often as the store needs to answer, since what is not followed is never collected. */
  async #followAgain(resource: ServedResource): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted && this.#options.resources.storages().includes(resource)) {
      try {
        await this.#follow(resource);
        return this.#wake();
      } catch (error) {
        if (signal.aborted) return;
        this.#options.logger.warn('objects are not followed', { kind: resource.def.kind, error: messageOf(error) });
        await sleep(retryMs, signal).catch(() => {});
      }
    }
  }

  #see(resource: ServedResource, { object, isRemoval }: ObjectEvent): void {
    if (!isRemoval) return this.#put(resource, object.object);
    this.#forget(object.object.metadata.uid ?? '');
    this.#wake();
  }

  /** Whoever depends on what is gone, or owned it, is to be looked at. */
  #forget(uid: string): void {
    const owners = this.#graph.get(uid)?.owners ?? [];
    const dependents = this.#graph.of(uid);
    this.#graph.remove(uid);
    for (const one of [...dependents.map((node) => node.uid), ...owners.map((owner) => owner.uid)])
      this.#dirty.add(one);
  }

  #put(resource: ServedResource, object: Resource): void {
    const node = nodeOf(resource, object);
    const before = this.#graph.get(node.uid);
    this.#graph.put(node);
    const matters = node.owners.length > 0 || node.isDeleting || (before?.owners.length ?? 0) > 0;
    if (!matters) return;
    this.#dirty.add(node.uid);
    if (node.isDeleting) for (const dependent of this.#graph.of(node.uid)) this.#dirty.add(dependent.uid);
    for (const { uid } of before?.owners ?? []) this.#dirty.add(uid);
    this.#wake();
  }

  #wake(): void {
    if (!this.#isReady || this.#working !== undefined || this.#closing.signal.aborted || this.#dirty.size === 0) return;
    this.#working = this.#work().finally(() => {
      this.#working = undefined;
      if (this.#retry === undefined) this.#wake();
    });
  }

  async #work(): Promise<void> {
    for (const uid of this.#dirty) {
      if (this.#closing.signal.aborted) return;
      this.#dirty.delete(uid);
      const node = this.#graph.get(uid);
      if (node === undefined) continue;
      try {
        for (const step of planCollection(node, this.#graph, (of, owner) => this.#stateOf(of, owner)))
          await this.#carryOut(step);
      } catch (error) {
        if (this.#closing.signal.aborted) return;
        this.#options.logger.warn('object was not collected', {
          kind: node.resource.def.kind,
          name: node.name,
          error: messageOf(error),
        });
        this.#dirty.add(uid);
        this.#later();
        return;
      }
    }
  }

  /** Tries what failed again after a while. */
  #later(): void {
    this.#retry ??= after(retryMs, () => {
      this.#retry = undefined;
      this.#wake();
    });
  }

  #stateOf(node: Node, owner: OwnerReference): OwnerState {
    const [group = '', version = ''] = owner.apiVersion.includes('/')
      ? owner.apiVersion.split('/')
      : ['', owner.apiVersion];
    const resource = this.#options.resources.findKind(group, version, owner.kind);
    if (resource?.storage === undefined) return 'unknown';
    const found = this.#graph.get(owner.uid);
    const isInside = resource.def.scope === 'Cluster' || found?.namespace === node.namespace;
    if (found === undefined || !isInside || found.name !== owner.name) return 'absent';
    return found.isDeleting && found.finalizers.includes('foregroundDeletion') ? 'waiting' : 'present';
  }

  async #carryOut(step: Step): Promise<void> {
    const { context } = this.#options;
    const { signal } = this.#closing;
    const { resource, namespace, name, uid } = step.node;
    try {
      if (step.step === 'delete') {
        const deletion = { graceSeconds: undefined, propagation: step.propagation, uid, resourceVersion: undefined };
        await deleteObject(context, resource, { namespace, name }, deletion, options, signal);
        return;
      }
      const change = (object: Resource): Resource =>
        step.step === 'disown' ? disowned(object, step.owners) : released(object, step.finalizer);
      await updateObject(context, resource, { namespace, name, change, optionsKind: 'PatchOptions' }, options, signal);
    } catch (error) {
      const isGone =
        error instanceof ApiError && (error.statusReason === 'NotFound' || error.statusReason === 'Conflict');
      if (!isGone) throw error;
    }
  }
}

function disowned(object: Resource, owners: readonly string[]): Resource {
  const { ownerReferences = [], ...metadata } = object.metadata;
  const left = ownerReferences.filter(({ uid }) => !owners.includes(uid));
  return { ...object, metadata: left.length === 0 ? metadata : { ...metadata, ownerReferences: left } };
}

function released(object: Resource, finalizer: string): Resource {
  const { finalizers = [], ...metadata } = object.metadata;
  const left = finalizers.filter((one) => one !== finalizer);
  return { ...object, metadata: left.length === 0 ? metadata : { ...metadata, finalizers: left } };
}
