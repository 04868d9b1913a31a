import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import type { TarEntry } from '#formats/tar-entry.ts';
import { tarEntry } from '#formats/tar/write-tar.ts';
import { type PresentFile, planSync } from './sync-plan.ts';

const types = { file: 0o100000, directory: 0o040000, symlink: 0o120000, fifo: 0o010000 } as const;

function present(
  type: keyof typeof types,
  fields: { size?: number; mode?: number; target?: string; links?: number } = {},
): PresentFile {
  const { size = 0, mode = 0o644, target = '', links = 1 } = fields;
  const stat = { mode: BigInt(types[type] + mode), size: BigInt(size), mtimeNs: 5n, nlink: BigInt(links) };
  return { stat, linkTarget: target };
}

function plan(here: Readonly<Record<string, PresentFile>>, ...entries: readonly TarEntry[]): object {
  const offered = entries.map((entry, id) => ({ id, entry }));
  const { remove, folders, fetch, links } = planSync(new Map(Object.entries(here)), offered);
  const paths = (list: readonly TarEntry[]): readonly string[] => list.map(({ path }) => path);
  return { remove, folders: paths(folders), fetch: fetch.map(({ id }) => id), links: paths(links) };
}

const entry = (path: string, fields: Partial<TarEntry> = {}): TarEntry =>
  tarEntry(path, { mode: 0o644, mtimeNs: 5n, ...fields });
const folder = (path: string): TarEntry => entry(path, { type: 'directory', mode: 0o755 });
const nothing = { remove: [], folders: [], fetch: [], links: [] };

describe('what makes a folder equal to that of a client', () => {
  test('everything, when there is nothing', () => {
    const link = entry('d/l', { type: 'symlink', linkTarget: 'a' });
    const second = entry('d/x', { type: 'hardlink', linkTarget: 'd/a' });
    assert.deepEqual(plan({}, folder('d'), entry('d/a'), link, second), {
      remove: [],
      folders: ['d'],
      fetch: [1],
      links: ['d/l', 'd/x'],
    });
  });

  test('nothing, when all is the same', () => {
    const here = {
      d: present('directory'),
      'd/a': present('file', { size: 3 }),
      l: present('symlink', { target: 'a' }),
    };
    const link = entry('l', { type: 'symlink', linkTarget: 'a' });
    assert.deepEqual(plan(here, folder('d'), entry('d/a', { sizeBytes: 3 }), link), nothing);
  });

  for (const [what, change] of [
    ['size', { sizeBytes: 4 }],
    ['time', { mtimeNs: 6n }],
    ['mode', { mode: 0o600 }],
  ] as const)
    test(`a file of another ${what} is fetched anew`, () => {
      const wanted = { ...entry('a', { sizeBytes: 3 }), ...change };
      assert.deepEqual(plan({ a: present('file', { size: 3 }) }, wanted), { ...nothing, remove: ['a'], fetch: [0] });
    });

  test('a file with a second name is fetched anew, since that may be another one now', () => {
    const here = { a: present('file', { links: 2 }), b: present('file', { links: 2 }) };
    const second = entry('b', { type: 'hardlink', linkTarget: 'a' });
    assert.deepEqual(plan(here, entry('a'), second), { remove: ['a', 'b'], folders: [], fetch: [0], links: ['b'] });
  });

  test('what is gone or of another kind goes first, with all below it', () => {
    const here = { d: present('directory'), 'd/a': present('file'), 'd/b': present('file'), l: present('symlink') };
    assert.deepEqual(plan(here, entry('d'), folder('l')), {
      remove: ['d', 'l'],
      folders: ['l'],
      fetch: [0],
      links: [],
    });
  });

  for (const [what, ...entries] of [
    ['a name twice', entry('a'), entry('a')],
    ['a folder that was not named', entry('d/a')],
    ['a folder that is a link', entry('d', { type: 'symlink', linkTarget: '/etc' }), entry('d/passwd')],
    ['a second name of nothing', entry('a', { type: 'hardlink', linkTarget: 'b' })],
    [
      'a second name of a link',
      entry('b', { type: 'symlink', linkTarget: '/x' }),
      entry('c', { type: 'hardlink', linkTarget: 'b' }),
    ],
  ] as const)
    test(`${what} is refused`, () => {
      assert.throws(() => plan({}, ...(entries as readonly TarEntry[])), { reason: 'InvalidArgument' });
    });
});
