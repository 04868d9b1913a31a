import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';

import * as fc from 'fast-check';

import { StatusError } from '#base/errors.ts';
import type { Layer } from '#engine/snapshots/snapshots.ts';
import { tarEntry } from '#formats/tar/write-tar.ts';
import { walkTree } from '#sys/tree/walk-tree.ts';

import { eventually } from '../../kit/eventually.ts';
import { chunks, collect, makeWorld, type Member, never, tarOf } from './world.ts';

/** Few names, so that entries meet: replace, hide, link and climb over each other. */
const name = fc.constantFrom('a', 'b', 'c', '.wh.a', '.wh.b', '.wh..wh..opq');
const hostile = fc.constantFrom('..', '.', '', '.wh...', '.wh.', '.wh..wh.plnk');
const path = fc
  .array(fc.oneof({ weight: 12, arbitrary: name }, { weight: 1, arbitrary: hostile }), { minLength: 1, maxLength: 4 })
  .map((names) => names.join('/'));
const target = fc.oneof(
  path,
  path.map((text) => `/${text}`),
  fc.constantFrom('../out', '../../out/secret'),
);

const member: fc.Arbitrary<Member> = fc.oneof(
  fc.tuple(path, fc.string({ maxLength: 40 })).map(([path, text]): Member => {
    const body = Buffer.from(text);
    return { entry: tarEntry(path, { sizeBytes: body.length }), body };
  }),
  path.map((path): Member => ({ entry: tarEntry(path, { type: 'directory' }) })),
  fc
    .tuple(path, target)
    .map(([path, linkTarget]): Member => ({ entry: tarEntry(path, { type: 'symlink', linkTarget }) })),
  fc
    .tuple(path, target)
    .map(([path, linkTarget]): Member => ({ entry: tarEntry(path, { type: 'hardlink', linkTarget }) })),
  path.map((path): Member => ({ entry: tarEntry(path, { type: 'character' }) })),
);

test('any stack of layers is refused with a sentence, or packs to its bytes, mounts, and touches nothing outside', async (t) => {
  const world = makeWorld(t);
  const out = join(world.dataDir, 'out');
  mkdirSync(out);
  writeFileSync(join(out, 'secret'), 'secret');
  await using snapshots = await world.open();
  let round = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(member, { maxLength: 12 }), { minLength: 1, maxLength: 3 }),
      fc.integer({ min: 1, max: 4000 }),
      async (stack, size) => {
        let top: Layer | undefined;
        for (const members of stack) {
          const bytes = await tarOf(...members);
          try {
            top = await snapshots.unpack(top?.chainId, chunks(bytes, size), undefined, never);
          } catch (error) {
            assert.ok(error instanceof StatusError, String(error));
            continue;
          }
          assert.deepEqual(await collect(snapshots.pack(top.chainId, never)), bytes);
        }
        round += 1;
        const id = `r${String(round)}`;
        await snapshots.create(id, top?.chainId);
        for (const { stat } of walkTree(snapshots.mount(id))) assert.equal(stat.isCharacterDevice(), false);
        assert.deepEqual(await snapshots.changes(id, never), []);
        await snapshots.remove(id);
        assert.deepEqual(readdirSync(out), ['secret']);
        assert.equal(readFileSync(join(out, 'secret'), 'utf8'), 'secret');
      },
    ),
    { numRuns: 60 },
  );
  await eventually('nothing half-made is left', () => readdirSync(join(world.dataDir, 'tmp')).length === 0);
});
