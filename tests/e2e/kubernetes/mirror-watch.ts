import assert from 'node:assert/strict';

import { StatusError } from '#base/errors.ts';
import { type Client, keyOf, keyText, kindOf } from '#kube/client/client.ts';
import { configMap } from '#kube/kinds/core/config-map.ts';
import type { Resource } from '#kube/resource.ts';

import type { RevisionOrder } from './revision-order.ts';
import { countOf } from './sealed-object.ts';
import { watchedLabel } from './writer.ts';

const maps = kindOf<Resource>(configMap);

/**
 * Objects as watchers know them, who list once, and after each death of the server go on from the last event that they
 * saw: an event of what was then lost, or a change that they were not told of, shows in the end.
 */
export class MirrorWatch {
  events = 0;
  readonly #objects = new Map<string, string>();
  #resourceVersion = '';

  /** Follows until the connection breaks. */
  async follow(client: Client, order: RevisionOrder, signal: AbortSignal): Promise<void> {
    try {
      if (this.#resourceVersion === '') {
        const list = await client.list(maps, { labelSelector: watchedLabel }, signal);
        for (const object of list.items) this.#objects.set(keyText(keyOf(object)), versionOf(object));
        this.#resourceVersion = list.resourceVersion;
      }
      const options = { labelSelector: watchedLabel, resourceVersion: this.#resourceVersion };
      for await (const { type, object } of client.watch(maps, options, signal)) this.#take(type, object, order);
    } catch (error) {
      if (!(error instanceof StatusError) || error.reason !== 'Unavailable') throw error;
    }
  }

  async compareWithList(client: Client, signal: AbortSignal): Promise<void> {
    const list = await client.list(maps, { labelSelector: watchedLabel }, signal);
    const options = { labelSelector: watchedLabel, resourceVersion: this.#resourceVersion };
    const wanted = new Map(list.items.map((object) => [keyText(keyOf(object)), versionOf(object)]));
    // What came after the last event that was seen is still to be told; a last write says when that was all.
    const last = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace: 'default', name: 'last' } };
    const labels = { [watchedLabel]: 'yes' };
    const made = await client.create<Resource>(maps, { ...last, metadata: { ...last.metadata, labels } }, {}, signal);
    for await (const { type, object } of client.watch(maps, options, signal)) {
      if (object.metadata.uid === made.metadata.uid) break;
      this.#take(type, object, undefined);
    }
    assert.deepEqual(sorted(this.#objects), sorted(wanted));
  }

  #take(type: string, object: Resource, order: RevisionOrder | undefined): void {
    const { resourceVersion = '' } = object.metadata;
    order?.saw(resourceVersion);
    assert.ok(BigInt(resourceVersion) > BigInt(this.#resourceVersion), 'events come in order');
    this.#resourceVersion = resourceVersion;
    this.events += 1;
    countOf(object);
    const key = keyText(keyOf(object));
    assert.equal(type, type === 'DELETED' ? type : this.#objects.has(key) ? 'MODIFIED' : 'ADDED', key);
    if (type === 'DELETED') assert.ok(this.#objects.delete(key), `${key} was deleted and is unknown`);
    else this.#objects.set(key, versionOf(object));
  }
}

function versionOf({ metadata }: Resource): string {
  return `${metadata.uid ?? ''} ${metadata.resourceVersion ?? ''}`;
}

function sorted(map: ReadonlyMap<string, string>): [string, string][] {
  return [...map].toSorted(([left], [right]) => (left < right ? -1 : 1));
}
