import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import * as fc from 'fast-check';

import { openFileWorld, type World } from './world.ts';

let world: World & AsyncDisposable;

before(async () => {
  world = await openFileWorld();
});
after(async () => {
  await world[Symbol.asyncDispose]();
});

type Tree = {
  readonly [name: string]: Tree | { readonly text: string; readonly mode: number } | { readonly link: string };
};

const file = fc.record({ text: fc.string({ maxLength: 8 }), mode: fc.constantFrom(0o600, 0o644, 0o755, 0o4711) });
const link = fc.record({ link: fc.constantFrom('a', '../b', '/c', 'nowhere') });
const fileName = fc.constantFrom('a', 'b', 'c', 'näme', 'x y', '-dash', '.dot');
const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.dictionary(fileName, fc.oneof({ maxDepth: 3 }, file, link, tie('tree')), {
    maxKeys: 4,
  }) as fc.Arbitrary<Tree>,
}));

function write(folder: string, entries: Tree): void {
  mkdirSync(folder);
  chmodSync(folder, 0o755);
  for (const [name, entry] of Object.entries(entries)) {
    const path = join(folder, name);
    if ('text' in entry && typeof entry.text === 'string') {
      writeFileSync(path, entry.text);
      chmodSync(path, Number(entry['mode']));
    } else if ('link' in entry && typeof entry.link === 'string') symlinkSync(entry.link, path);
    else write(path, entry as Tree);
  }
}

test('whatever the context holds, COPY and COPY --from make the same of it, and the cache knows it again', async () => {
  await fc.assert(
    fc.asyncProperty(tree, tree, async (one, other) => {
      for (const [name, entries] of Object.entries({ one, other })) {
        rmSync(join(world.context, name), { recursive: true, force: true });
        write(join(world.context, name), entries);
      }
      const direct = await world.build('FROM scratch\nCOPY one /t');
      const files = await direct.files('/t');
      const through = await world.build('FROM scratch AS s\nCOPY one /x\nFROM scratch\nCOPY --from=s /x /t');
      assert.deepEqual(await through.files('/t'), files);
      const again = await world.build('FROM scratch\nCOPY one /t');
      assert.ok(again.events.some(({ kind }) => kind === 'cached'));
      assert.equal(again.image.id, direct.image.id);
      const second = await world.build('FROM scratch\nCOPY other /t');
      const isSame = JSON.stringify(await second.files('/t')) === JSON.stringify(files);
      assert.equal(second.events.some(({ kind }) => kind === 'cached') && isSame, isSame, 'the same files hit');
      if (!isSame) assert.notDeepEqual(second.image.config.rootfs.diff_ids, direct.image.config.rootfs.diff_ids);
    }),
    { numRuns: 25 },
  );
});
