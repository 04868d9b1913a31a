import assert from 'node:assert/strict';

import { StatusError } from '#base/errors.ts';
import { type Client, type KindOf, kindOf, type ObjectKey } from '#kube/client/client.ts';
import { deployment } from '#kube/kinds/apps/deployment.ts';
import { lease } from '#kube/kinds/coordination/lease.ts';
import { configMap } from '#kube/kinds/core/config-map.ts';
import { secret } from '#kube/kinds/core/secret.ts';
import type { Resource } from '#kube/resource.ts';
import { ApiError } from '#kube/status.ts';

import type { Random } from '../../kit/random.ts';
import type { RevisionOrder } from './revision-order.ts';
import { countOf, sealedAnnotations } from './sealed-object.ts';

/** On all that writers make. */
export const watchedLabel = 'made-by-writer';

interface WriterKind {
  readonly kind: KindOf;
  readonly namespace: string;
  readonly body: object;
}

const labels = { app: 'web' };
const podSpec = { containers: [{ name: 'web', image: 'web:1' }] };

/** Also leases of nodes, for whose updates no write waits for the disk. */
export const writerKinds: readonly WriterKind[] = [
  { kind: kindOf(configMap), namespace: 'default', body: { data: { a: 'b' } } },
  { kind: kindOf(secret), namespace: 'default', body: { stringData: { a: 'b' } } },
  { kind: kindOf(lease), namespace: 'kube-node-lease', body: { spec: { holderIdentity: 'me' } } },
  {
    kind: kindOf(deployment),
    namespace: 'default',
    body: { spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec: podSpec } } },
  },
];

/** What is known of the writer's object: the number of the write that made it; undefined: it is not there. */
interface State {
  readonly count: number;
  readonly uid: string | undefined;
  readonly resourceVersion: string | undefined;
}

/** Writes one object over and over, by all verbs, and knows what of it was acknowledged. */
export class Writer {
  /** Writes that the death of the server cut off, and those of them that were done all the same. */
  doubts = 0;
  doubtsDone = 0;
  readonly #kind: WriterKind;
  readonly #key: ObjectKey;
  readonly #random: Random;
  #state: State | undefined;
  /** The write that got no answer: `gone` or its number. */
  #doubt: number | 'gone' | undefined;
  #count = 0;

  constructor(kind: number, index: number, random: Random) {
    const { namespace } = (this.#kind = writerKinds[kind] ?? assert.fail());
    this.#key = { namespace, name: `writer-${String(index)}` };
    this.#random = random;
  }

  /** Fails when something acknowledged is lost, or something is there that nobody wrote. */
  async verify(client: Client, order: RevisionOrder, signal: AbortSignal): Promise<void> {
    const found = await client.get<Resource>(this.#kind.kind, this.#key, signal).catch((error: unknown) => {
      if (error instanceof ApiError && error.statusReason === 'NotFound') return undefined;
      throw error;
    });
    const state = found === undefined ? undefined : stateOf(found);
    const what = `${this.#kind.kind.kind} ${this.#key.name}, in doubt: ${String(this.#doubt)}`;
    if (this.#doubt !== undefined && (state?.count ?? 'gone') === this.#doubt) {
      this.doubtsDone += 1;
      assert.notEqual(state?.resourceVersion, this.#state?.resourceVersion, what);
    } else assert.deepEqual(state, this.#state, what);
    if (state !== undefined) order.saw(state.resourceVersion);
    this.#state = state;
    this.#doubt = undefined;
  }

  /** Until the connection breaks. */
  async writeUntilCut(
    client: Client,
    order: RevisionOrder,
    acknowledge: () => void,
    signal: AbortSignal,
  ): Promise<void> {
    for (;;) {
      const isRemoval = this.#state !== undefined && this.#random.integer(5) === 0;
      if (!isRemoval) this.#count += 1;
      try {
        const written = isRemoval ? await this.#remove(client, signal) : await this.#write(client, signal);
        if (written !== undefined) order.gave(written.metadata.resourceVersion);
        this.#state = written === undefined ? undefined : stateOf(written);
        assert.equal(this.#state?.count, isRemoval ? undefined : this.#count);
        acknowledge();
      } catch (error) {
        if (!(error instanceof StatusError) || error instanceof ApiError || error.reason !== 'Unavailable') throw error;
        this.#doubt = isRemoval ? 'gone' : this.#count;
        this.doubts += 1;
        return;
      }
    }
  }

  async #remove(client: Client, signal: AbortSignal): Promise<undefined> {
    const { uid = '', resourceVersion = '' } = this.#state ?? {};
    const preconditions = this.#random.integer(2) === 0 ? { uid, resourceVersion } : { uid };
    await client.delete(this.#kind.kind, this.#key, { preconditions }, signal);
  }

  /** Creates, replaces, patches or applies. */
  async #write(client: Client, signal: AbortSignal): Promise<Resource> {
    const { kind, body } = this.#kind;
    const annotations = sealedAnnotations(this.#count, this.#random);
    const { resourceVersion } = this.#state ?? {};
    const apiVersion = kind.group === '' ? kind.version : `${kind.group}/${kind.version}`;
    const metadata = { ...this.#key, labels: { [watchedLabel]: 'yes' }, annotations };
    const object = { apiVersion, kind: kind.kind, metadata, ...body };
    if (this.#random.integer(3) === 0)
      return client.apply<Resource>(kind, object, { fieldManager: 'writer', force: true }, signal);
    if (resourceVersion === undefined) return client.create<Resource>(kind, object, {}, signal);
    if (this.#random.integer(2) === 0)
      return client.update<Resource>(kind, { ...object, metadata: { ...metadata, resourceVersion } }, {}, signal);
    return client.patch<Resource>(kind, this.#key, { type: 'merge', body: { metadata: { annotations } } }, {}, signal);
  }
}

function stateOf(object: Resource): State {
  const { uid, resourceVersion } = object.metadata;
  return { count: countOf(object), uid, resourceVersion };
}
