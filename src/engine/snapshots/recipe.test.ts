import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';

import * as fc from 'fast-check';

import { reasonOf } from '#base/errors.ts';

import { readRecipe, type RecipeStep, RecipeWriter } from './recipe.ts';

type Step = { raw: Uint8Array } | { path: string; offset: number; sizeBytes: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.uint8Array({ minLength: 1 }).map((raw) => ({ raw })),
  fc.record({ path: fc.string({ minLength: 1 }), offset: fc.maxSafeNat(), sizeBytes: fc.nat() }),
);

test('steps come back in their order', async (t) => {
  const path = join(makeFolder(t), 'recipe');
  await fc.assert(
    fc.asyncProperty(fc.array(step), async (steps) => {
      await write(path, steps);
      const found = await readAll(path);
      assert.deepEqual(found.map(plain), joined(steps).map(plain));
    }),
    { numRuns: 30 },
  );
});

test('pieces of one body become one step', async (t) => {
  const path = join(makeFolder(t), 'recipe');
  await using writer = new RecipeWriter(path);
  writer.body('a', 0, 10);
  writer.body('a', 10, 5);
  assert.equal(writer.bodies, 1);
  writer.endBody();
  writer.body('a', 15, 1);
  writer.raw(new Uint8Array(3_000_000));
  await writer.drain();
  await writer.finish();
  const steps = await readAll(path);
  assert.deepEqual(
    steps.filter((one) => 'path' in one),
    [
      { path: 'a', offset: 0, sizeBytes: 15, index: 0 },
      { path: 'a', offset: 15, sizeBytes: 1, index: 1 },
    ],
  );
  assert.equal(
    steps.reduce((sum, one) => sum + ('raw' in one ? one.raw.length : 0), 0),
    3_000_000,
  );
});

test('a recipe that is cut or changed is damaged', async (t) => {
  const path = join(makeFolder(t), 'recipe');
  await write(path, [{ raw: new Uint8Array(1000).fill(7) }, { path: 'a', offset: 0, sizeBytes: 3 }]);
  const bytes = readFileSync(path);
  for (const broken of [bytes.subarray(0, bytes.length - 3), Buffer.from('no recipe at all'), Buffer.alloc(0)]) {
    writeFileSync(path, broken);
    await readAll(path).then(
      (steps) => assert.deepEqual(steps, [], 'only an empty file reads as nothing'),
      (error: unknown) => assert.equal(reasonOf(error), 'Damaged'),
    );
  }
});

test('a recipe that is given up leaves nothing open', async (t) => {
  const writer = new RecipeWriter(join(makeFolder(t), 'recipe'));
  writer.raw(new Uint8Array(10));
  await writer[Symbol.asyncDispose]();
  await writer[Symbol.asyncDispose]();
});

async function write(path: string, steps: readonly Step[]): Promise<void> {
  await using writer = new RecipeWriter(path);
  for (const one of steps) {
    if ('raw' in one) writer.raw(one.raw);
    else {
      writer.body(one.path, one.offset, one.sizeBytes);
      writer.endBody();
    }
  }
  await writer.finish();
}

async function readAll(path: string): Promise<RecipeStep[]> {
  const found: RecipeStep[] = [];
  for await (const one of readRecipe(path)) found.push('raw' in one ? { raw: Uint8Array.from(one.raw) } : one);
  return found;
}

function joined(steps: readonly Step[]): readonly RecipeStep[] {
  let index = 0;
  return steps.map((one) => ('raw' in one ? one : { ...one, index: index++ }));
}

function plain(one: RecipeStep): unknown {
  return 'raw' in one ? Buffer.from(one.raw).toString('hex') : one;
}

function makeFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'recipe-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}
