import assert from 'node:assert/strict';

import type { Json } from './json.ts';
import type { MemoryApi } from './memory-api.ts';

/** What of a pod the property looks at. */
export interface PodState {
  readonly namespace: string;
  readonly name: string;
  readonly app: string | undefined;
  readonly phase: string;
}

/** A write of a pod: undefined before it was made and after it was removed. */
interface LogEntry {
  readonly revision: bigint;
  readonly before: PodState | undefined;
  readonly after: PodState | undefined;
}

const statusPatch = 'application/merge-patch+json';

/** All writes of pods in order, as their answers told of them: the log that lists and watches are compared with. */
export class PodLog {
  readonly entries: LogEntry[] = [];
  #first = 0n;

  /** Begins at the revision where the API is. */
  async begin(api: MemoryApi): Promise<void> {
    this.#first = await revisionOf(api);
  }

  get revision(): bigint {
    return this.entries.at(-1)?.revision ?? this.#first;
  }

  /** A revision between the first and the latest write. */
  revisionAt(share: number): bigint {
    const index = Math.round(share * this.entries.length);
    return index === 0 ? this.#first : (this.entries[index - 1]?.revision ?? this.#first);
  }

  /** In the order of their keys. */
  stateAt(revision: bigint): readonly PodState[] {
    const state = new Map<string, PodState>();
    for (const { before, after, revision: at } of this.entries) {
      if (at > revision) break;
      if (before !== undefined) state.delete(keyOf(before));
      if (after !== undefined) state.set(keyOf(after), after);
    }
    return [...state].toSorted(([left], [right]) => (left < right ? -1 : 1)).map(([, pod]) => pod);
  }

  /** Makes the pod, or makes another one of it; an update that changes nothing is no write. */
  async put(api: MemoryApi, pod: PodState): Promise<void> {
    const path = `/api/v1/namespaces/${pod.namespace}/pods`;
    const old = this.stateAt(this.revision).find((one) => keyOf(one) === keyOf(pod));
    const labels = { app: pod.app ?? null };
    const made = await api.must(
      old === undefined
        ? api.post(path, podBody(pod))
        : api.patch(`${path}/${pod.name}`, statusPatch, { metadata: { labels } }),
    );
    this.#note(made, old);
    const now = stateOf(made);
    if (now.phase === pod.phase) return;
    const status = { phase: pod.phase };
    this.#note(await api.must(api.patch(`${path}/${pod.name}/status`, statusPatch, { status })), now);
  }

  async remove(api: MemoryApi, { namespace, name }: Pick<PodState, 'namespace' | 'name'>): Promise<void> {
    const old = this.stateAt(this.revision).find((one) => one.namespace === namespace && one.name === name);
    const answer = api.delete(`/api/v1/namespaces/${namespace}/pods/${name}`, { gracePeriodSeconds: 0 });
    if (old === undefined) {
      assert.equal((await answer).status, 404);
      return;
    }
    await api.must(answer);
    // Nobody else writes: where the API is now is where it was removed.
    this.entries.push({ revision: await revisionOf(api), before: old, after: undefined });
  }

  #note(written: Json, before: PodState | undefined): void {
    const revision = BigInt(written.metadata.resourceVersion as string);
    const after = stateOf(written);
    if (revision > this.revision) this.entries.push({ revision, before, after });
    else assert.deepEqual(after, before, 'a write has a revision above all earlier ones');
  }
}

function keyOf({ namespace, name }: PodState): string {
  return `${namespace}/${name}`;
}

export function stateOf({ metadata, status }: Json): PodState {
  return {
    namespace: metadata.namespace as string,
    name: metadata.name as string,
    app: metadata.labels?.app as string | undefined,
    phase: status.phase as string,
  };
}

async function revisionOf(api: MemoryApi): Promise<bigint> {
  return BigInt((await api.must(api.get('/api/v1/pods?limit=1'))).metadata.resourceVersion as string);
}

function podBody({ name, app }: PodState): object {
  const metadata = { name, ...(app === undefined ? {} : { labels: { app } }) };
  return { apiVersion: 'v1', kind: 'Pod', metadata, spec: { containers: [{ name: 'main', image: 'main' }] } };
}
