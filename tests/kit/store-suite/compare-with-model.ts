import assert from 'node:assert/strict';

import * as fc from 'fast-check';

import type { Store } from '#store/store.ts';

import { bytes, never, reason, type OpenStore } from './driver.ts';
import type { Owner } from '../temp-root.ts';
import { Model } from './model.ts';
import { changesUntil, revisionOf, tell } from './watching.ts';

/** A step; `share` picks a revision between the oldest and the latest one, which lives on in shrinking. */
type Step =
  | { readonly do: 'put' | 'remove'; readonly key: string; readonly value: string; readonly right: boolean }
  | { readonly do: 'compact'; readonly share: number }
  | { readonly do: 'list'; readonly share: number; readonly limit: number; readonly prefix: string };

const keys = ['a', 'a/b', 'a/c', 'b', 'ä', '\u{1f600}'];
const key = fc.constantFrom(...keys);
const share = fc.double({ min: 0, max: 1, noNaN: true });
const steps = fc.array(
  fc.oneof(
    {
      weight: 10,
      arbitrary: fc.record({
        do: fc.constantFrom('put' as const, 'put' as const, 'remove' as const),
        key,
        value: fc.string({ maxLength: 4 }),
        right: fc.integer({ min: 0, max: 4 }).map((n) => n > 0),
      }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('compact' as const), share }) },
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constant('list' as const),
        share,
        limit: fc.integer({ min: 1, max: 4 }),
        prefix: fc.constantFrom('', 'a', 'a/'),
      }),
    },
  ),
  { minLength: 1, maxLength: 60 },
);

export async function compareWithModel(owner: Owner, open: OpenStore, runs: number): Promise<void> {
  // So little memory that watches read the history.
  const store = await open(owner, { countMost: 6 });
  let run = 0;
  await fc.assert(
    fc.asyncProperty(steps, async (list) => {
      const world = { store, root: `/run-${String((run += 1))}/`, model: new Model(await revisionOf(store)) };
      for (const step of list) await take(step, world);
      await compareAll(world);
    }),
    { numRuns: runs },
  );
}

interface World {
  readonly store: Store;
  readonly root: string;
  readonly model: Model;
}

async function take(step: Step, world: World): Promise<void> {
  const { store, root, model } = world;
  if (step.do === 'list') return await compareList(step, world);
  if (step.do === 'compact') {
    const before = revisionAt(step.share, model);
    await store.compact(before, never);
    if (before > model.compacted) model.compacted = before;
    return;
  }
  const path = root + step.key;
  const present = model.stateAt(model.revision).get(path)?.revision ?? 0n;
  // A removal of what should not be there is refused in another way.
  const expected = step.right && (step.do === 'put' || present > 0n) ? present : present + 1n;
  const write =
    step.do === 'put' ? store.put(path, bytes(step.value), expected, {}, never) : store.remove(path, expected, never);
  const wanted = step.do === 'put' ? model.put(path, bytes(step.value), expected) : model.remove(path, expected);
  if (wanted === undefined) await assert.rejects(write, reason('Conflict'));
  else assert.equal(await write, wanted);
}

/** All pages of a prefix at a revision. */
async function compareList(step: Step & { do: 'list' }, { store, root, model }: World): Promise<void> {
  const at = revisionAt(step.share, model);
  const prefix = root + step.prefix;
  if (at < model.compacted) {
    await assert.rejects(store.list(prefix, { at }, never), reason('Expired'));
    return;
  }
  const wanted = model.entriesAt(at, prefix);
  let after = '';
  for (let index = 0; ; index += step.limit) {
    const page = await store.list(prefix, { at, limit: step.limit, after }, never);
    assert.deepEqual(
      page.entries.map((entry) => ({ ...entry, value: Buffer.from(entry.value) })),
      wanted.slice(index, index + step.limit).map((entry) => ({ ...entry, value: Buffer.from(entry.value) })),
    );
    assert.equal(page.remaining, Math.max(0, wanted.length - index - step.limit));
    assert.equal(page.hasMore, page.remaining > 0);
    assert.equal(page.revision, at);
    if (!page.hasMore) return;
    after = page.entries.at(-1)?.key ?? '';
  }
}

/** Each key, and watches from each revision that is left. */
async function compareAll({ store, root, model }: World): Promise<void> {
  for (const one of keys) {
    const [found, wanted] = [await store.get(root + one, never), model.stateAt(model.revision).get(root + one)];
    assert.deepEqual([found?.revision, found?.value.length], [wanted?.revision, wanted?.value.length]);
  }
  const last = model.log.at(-1);
  if (last === undefined || last.revision <= model.compacted) return;
  const first = model.compacted > model.base ? model.compacted : model.base;
  for (let since = first; since < last.revision; since += 1n) {
    const seen = await changesUntil(store, root, since, last.revision);
    assert.deepEqual(
      seen.map((change) => tell(change)),
      model.changesAfter(since, root).map((change) => tell(change)),
    );
  }
  if (first > 1n && model.compacted === first)
    await assert.rejects(changesUntil(store, root, first - 1n, last.revision), reason('Expired'));
}

function revisionAt(part: number, model: Model): bigint {
  return model.base + BigInt(Math.round(part * model.log.length));
}
