import assert from 'node:assert/strict';

import * as fc from 'fast-check';

import type { Store } from '#store/store.ts';

import type { Json } from './json.ts';
import { type MemoryApi, openMemoryApi } from './memory-api.ts';
import { PodLog, type PodState, stateOf } from './pod-log.ts';
import type { WatchedEvents } from './watched-events.ts';

/** A selection as a query, by what it selects, and with a pod that it selects whatever its name is. */
interface Choice {
  readonly query: string;
  readonly matches: (pod: PodState) => boolean;
  readonly example: Pick<PodState, 'app' | 'phase'>;
}

const [one, other] = [
  { app: 'a', phase: 'Pending' },
  { app: undefined, phase: 'Running' },
];
const choices: readonly Choice[] = [
  { query: '', matches: () => true, example: one },
  { query: 'labelSelector=app%3Da', matches: ({ app }) => app === 'a', example: one },
  { query: 'labelSelector=app!%3Da', matches: ({ app }) => app !== 'a', example: other },
  { query: 'labelSelector=app+in+(a,b)', matches: ({ app }) => app === 'a' || app === 'b', example: one },
  { query: 'labelSelector=!app', matches: ({ app }) => app === undefined, example: other },
  { query: 'fieldSelector=status.phase%3DRunning', matches: ({ phase }) => phase === 'Running', example: other },
  { query: 'fieldSelector=status.phase!%3DRunning', matches: ({ phase }) => phase !== 'Running', example: one },
  {
    query: 'labelSelector=app&fieldSelector=status.phase%3DRunning,metadata.name!%3Dp1',
    matches: ({ app, phase, name }) => app !== undefined && phase === 'Running' && name !== 'p1',
    example: { app: 'b', phase: 'Running' },
  },
];

const namespaces = ['default', 'kube-public'];
const share = fc.double({ min: 0, max: 1, noNaN: true });
/** `all`: all namespaces. */
const view = fc.record({
  choice: fc.constantFrom(...choices),
  namespace: fc.constantFrom('all', ...namespaces),
  share,
});
const pod = fc.record({
  namespace: fc.constantFrom(...namespaces),
  name: fc.constantFrom('p1', 'p2', 'p3', 'p1.a'),
  app: fc.constantFrom('a', 'b', 'c', undefined),
  phase: fc.constantFrom('Pending', 'Running', 'Succeeded'),
});

type View = typeof view extends fc.Arbitrary<infer T> ? T : never;

const steps = fc.array(
  fc.oneof(
    { weight: 12, arbitrary: fc.record({ do: fc.constant('put' as const), pod }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constant('remove' as const), pod }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('watch' as const), view }) },
    {
      weight: 2,
      arbitrary: fc.record({ do: fc.constant('list' as const), view, limit: fc.integer({ min: 0, max: 3 }) }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('compact' as const), share }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('restart' as const) }) },
  ),
  { minLength: 1, maxLength: 40 },
);

type Step = typeof steps extends fc.Arbitrary<readonly (infer T)[]> ? T : never;

/**
 * Whatever is written: a list shows what a replay of all writes gives at its revision, and a watch from any revision tells
 * of exactly the writes after it, as far as its selection is concerned; what was compacted may be refused as Expired, and
 * nothing else may.
 */
export async function compareWithLog(openStore: () => Promise<Store>, runs: number): Promise<void> {
  await fc.assert(
    fc.asyncProperty(steps, async (list) => {
      await using store = await openStore();
      await using world = await World.open(store);
      for (const step of list) await world.take(step);
      await world.checkWatches();
    }),
    { numRuns: runs },
  );
}

interface Watching {
  readonly events: WatchedEvents;
  readonly since: bigint;
  readonly view: View;
}

class World implements AsyncDisposable {
  readonly #store: Store;
  readonly #log = new PodLog();
  #api: MemoryApi;
  #ends: (() => unknown)[] = [];
  #watches: Watching[] = [];
  #compacted = 0n;
  #sentinels = 0;

  private constructor(store: Store, api: MemoryApi, ends: (() => unknown)[]) {
    this.#store = store;
    this.#api = api;
    this.#ends = ends;
  }

  static async open(store: Store): Promise<World> {
    const ends: (() => unknown)[] = [];
    const api = await openMemoryApi({ after: (work) => void ends.push(work) }, { store });
    const world = new World(store, api, ends);
    await world.#log.begin(api);
    return world;
  }

  async take(step: Step): Promise<void> {
    if (step.do === 'put') await this.#log.put(this.#api, step.pod);
    else if (step.do === 'remove') await this.#log.remove(this.#api, step.pod);
    else if (step.do === 'watch') this.#watch(step.view);
    else if (step.do === 'list') await this.#checkList(step.view, step.limit);
    else if (step.do === 'compact') await this.#compact(step.share);
    else await this.#restart();
  }

  async checkWatches(): Promise<void> {
    for (const watch of this.#watches.splice(0)) await this.#checkWatch(watch);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { events } of this.#watches) events.end();
    for (const end of this.#ends) await end();
  }

  #watch(view: View): void {
    const since = this.#log.revisionAt(view.share);
    const query = `watch=true&resourceVersion=${String(since)}&${view.choice.query}`;
    this.#watches.push({ events: this.#api.watch(`${pathOf(view)}?${query}`), since, view });
  }

  async #compact(part: number): Promise<void> {
    const before = this.#log.revisionAt(part);
    await this.#store.compact(before, new AbortController().signal);
    if (before > this.#compacted) this.#compacted = before;
  }

  /** Another server on the same store, whose caches have seen nothing of what was before. */
  async #restart(): Promise<void> {
    await this.checkWatches();
    for (const end of this.#ends.splice(0)) await end();
    this.#api = await openMemoryApi({ after: (work) => void this.#ends.push(work) }, { store: this.#store });
  }

  async #checkWatch({ events, since, view }: Watching): Promise<void> {
    // A last pod that it selects says when all has come.
    const namespace = view.namespace === 'all' ? 'default' : view.namespace;
    const name = `last-${String((this.#sentinels += 1))}`;
    await this.#log.put(this.#api, { namespace, name, ...view.choice.example });
    const expected = this.#eventsAfter(since, view);
    for (const wanted of expected) {
      const event = await events.next();
      if (isExpired(event)) {
        assert.ok(since < this.#compacted, `${String(since)} was not compacted`);
        break;
      }
      assert.deepEqual(shown(event), wanted);
    }
    events.end();
    await this.#log.remove(this.#api, { namespace, name });
  }

  /** `TYPE revision pod` of each write after a revision, as a watcher of the view sees it. */
  #eventsAfter(since: bigint, view: View): unknown[] {
    const sees = (state: PodState | undefined): state is PodState => state !== undefined && isInView(state, view);
    return this.#log.entries
      .filter(({ revision }) => revision > since)
      .flatMap(({ revision, before, after }) => {
        if (sees(after)) return [[sees(before) ? 'MODIFIED' : 'ADDED', revision, after]];
        // What goes out of sight is shown as it was.
        return sees(before) ? [['DELETED', revision, before]] : [];
      });
  }

  /** All pages of a list, at a revision of the past or now, with writes in between. */
  async #checkList(view: View, limit: number): Promise<void> {
    const at = this.#log.revisionAt(view.share);
    const isPast = at !== this.#log.revision;
    const exact = isPast ? `&resourceVersion=${String(at)}&resourceVersionMatch=Exact` : '';
    const wanted = this.#log.stateAt(at).filter((state) => isInView(state, view));
    const found: PodState[] = [];
    let token = '';
    let shownAt: bigint | undefined;
    do {
      const rest = token === '' ? exact : `&continue=${encodeURIComponent(token)}`;
      const answer = await this.#api.get(`${pathOf(view)}?${view.choice.query}&limit=${String(limit)}${rest}`);
      if (answer.status === 410) {
        assert.ok(at < this.#compacted, `${String(at)} was not compacted`);
        return;
      }
      assert.equal(answer.status, 200, answer.text);
      const revision = BigInt(answer.body.metadata.resourceVersion as string);
      // The latest may lie beyond the last pod's write: servers keep leases in the same store.
      assert.ok(isPast ? revision === at : revision >= at, `${String(revision)} instead of ${String(at)}`);
      assert.equal(revision, (shownAt ??= revision), 'all pages are of one state');
      found.push(...(answer.body.items as Json[]).map(stateOf));
      token = (answer.body.metadata.continue ?? '') as string;
      await this.#log.put(this.#api, {
        namespace: 'default',
        name: 'p2',
        app: found.length % 2 ? 'a' : 'b',
        phase: 'Running',
      });
    } while (token !== '');
    assert.deepEqual(found, wanted);
  }
}

function isInView(state: PodState, { choice, namespace }: View): boolean {
  return (namespace === 'all' || state.namespace === namespace) && choice.matches(state);
}

function pathOf({ namespace }: View): string {
  return namespace === 'all' ? '/api/v1/pods' : `/api/v1/namespaces/${namespace}/pods`;
}

/** As an event of the watch, or as the answer to it. */
function isExpired(event: Json): boolean {
  return (event.type === 'ERROR' ? event.object.code : event.code) === 410;
}

function shown(event: Json): unknown {
  return [event.type, BigInt(event.object.metadata.resourceVersion as string), stateOf(event.object)];
}
