import assert from 'node:assert/strict';
import { linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { compileIgnoreRules } from '#formats/dockerignore.ts';
import { hashFiles } from './hash-files.ts';
import { type Selection, selectFiles } from './select-files.ts';

const never = new AbortController().signal;
let outside = '';
let root = '';

function put(path: string, text = path): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

before(() => {
  outside = mkdtempSync(join(tmpdir(), 'slipway-select-'));
  root = join(outside, 'context');
  mkdirSync(root);
  writeFileSync(join(outside, 'secret'), 'secret');
  for (const path of [
    'a.txt',
    'b.txt',
    '.hidden',
    'dir/one',
    'dir/sub/two',
    'dir/sub/three.md',
    'other/sub/four',
    'we ird[1]',
  ])
    put(path);
  symlinkSync('dir', join(root, 'to-dir'));
  symlinkSync('a.txt', join(root, 'to-file'));
  symlinkSync('/dir/one', join(root, 'absolute'));
  symlinkSync(join(outside, 'secret'), join(root, 'escape'));
  symlinkSync('../secret', join(root, 'climb'));
  symlinkSync('..', join(root, 'up'));
  symlinkSync('nowhere', join(root, 'dangling'));
  symlinkSync('loop', join(root, 'loop'));
  symlinkSync('../one', join(root, 'dir/sub/link'));
});
after(() => rmSync(outside, { recursive: true }));

async function select(source: string, change: Partial<Selection> = {}): Promise<readonly string[]> {
  const ignore = compileIgnoreRules([]);
  const items = await selectFiles({ root, sources: [source], parents: false, exclude: [], ignore, ...change }, never);
  return items.flatMap(({ name, isFolder, entries }) =>
    isFolder ? entries.map(({ entry: { path, type } }) => `${name}/${path}${type === 'directory' ? '/' : ''}`) : [name],
  );
}

describe('sources', () => {
  const dir = ['dir/one', 'dir/sub/', 'dir/sub/link', 'dir/sub/three.md', 'dir/sub/two'];
  const table: readonly (readonly [string, readonly string[]])[] = [
    ['a.txt', ['a.txt']],
    ['/a.txt', ['a.txt']],
    ['./dir/../a.txt', ['a.txt']],
    ['../../a.txt', ['a.txt']],
    ['dir', dir],
    ['dir/', dir],
    ['*.txt', ['a.txt', 'b.txt']],
    ['?.txt', ['a.txt', 'b.txt']],
    ['[b-z].txt', ['b.txt']],
    ['nothing*', []],
    ['*/sub/*', ['link', 'three.md', 'two', 'four']],
    ['*/sub', ['sub/link', 'sub/three.md', 'sub/two', 'sub/four']],
    ['to-file', ['to-file']],
    ['to-dir', dir.map((path) => path.replace('dir/', 'to-dir/'))],
    ['to-dir/one', ['one']],
    ['to-dir/o*', ['one']],
    ['absolute', ['absolute']],
    ['dir/sub/link', ['link']],
    [String.raw`we ird\[1\]`, ['we ird[1]']],
  ]; // prettier-ignore
  for (const [source, expected] of table) test(source, async () => assert.deepEqual(await select(source), expected));

  for (const source of ['no', 'dir/no', 'a.txt/x', 'dangling', 'loop', 'escape', 'climb', 'up/secret'])
    test(`${source} is not there`, async () =>
      await assert.rejects(select(source), {
        reason: 'NotFound',
        message: new RegExp(`stat ${source}: file does not`),
      }));

  test('a link that climbs ends at the root', async () => {
    assert.ok((await select('up')).includes('up/a.txt'));
  });

  test('sockets are left out', async () => {
    put('socket/x');
    const server = createServer().listen(join(root, 'socket/s'));
    await new Promise((resolve) => server.once('listening', resolve));
    assert.deepEqual(await select('socket'), ['socket/x']);
    await new Promise((resolve) => server.close(resolve));
    rmSync(join(root, 'socket'), { recursive: true });
  });
});

describe('what is left out', () => {
  const ignoring = (...patterns: readonly string[]) => ({ ignore: compileIgnoreRules(patterns) });

  test('.dockerignore', async () => {
    assert.deepEqual(await select('dir', ignoring('**/*.md', 'dir/one')), ['dir/sub/', 'dir/sub/link', 'dir/sub/two']);
    assert.deepEqual(await select('dir', ignoring('dir', '!dir/sub/two')), ['dir/sub/', 'dir/sub/two']);
    assert.deepEqual(await select('*.txt', ignoring('a.*')), ['b.txt']);
    await assert.rejects(select('a.txt', ignoring('a.txt')), { reason: 'NotFound' });
    await assert.rejects(select('dir', ignoring('dir')), { reason: 'NotFound' });
    await assert.rejects(select('to-file', ignoring('a.txt')), { reason: 'NotFound' }, 'by what it points to');
  });

  test('--exclude', async () => {
    assert.deepEqual(await select('dir', { exclude: ['sub/*.md', 'one'] }), [
      'dir/sub/',
      'dir/sub/link',
      'dir/sub/two',
    ]);
    assert.deepEqual(await select('*.txt', { exclude: ['a*'] }), ['b.txt']);
  });

  test('--parents keeps folders, from the root or the pivot', async () => {
    const parents = { parents: true };
    assert.deepEqual(await select('dir/sub/two', parents), ['/dir/', '/dir/sub/', '/dir/sub/two']);
    assert.deepEqual(await select('dir/./sub/two', parents), ['/sub/', '/sub/two']);
    assert.deepEqual(await select('**/*.md', parents), ['/dir/', '/dir/sub/', '/dir/sub/three.md']);
    assert.deepEqual(await select('./dir/sub', parents), [
      '/dir/',
      '/dir/sub/',
      '/dir/sub/link',
      '/dir/sub/three.md',
      '/dir/sub/two',
    ]);
    assert.deepEqual(await select('dir/sub', { ...parents, exclude: ['**/t*'] }), [
      '/dir/',
      '/dir/sub/',
      '/dir/sub/link',
    ]);
    await assert.rejects(select('dir/no', parents), { reason: 'NotFound' });
    assert.deepEqual(await select('no*', parents), []);
  });
});

describe('the content hash', () => {
  async function hash(source: string): Promise<string> {
    const ignore = compileIgnoreRules([]);
    const items = await selectFiles({ root, sources: [source], parents: false, exclude: [], ignore }, never);
    return await hashFiles(items, { owners: false }, never);
  }

  test('follows bytes, names, modes and links, not times', async () => {
    put('h/one', '1');
    put('h/two', '2');
    symlinkSync('one', join(root, 'h/link'));
    const seen = new Set([await hash('h')]);
    const changed = async (what: string, change: () => void): Promise<void> => {
      change();
      const next = await hash('h');
      assert.ok(!seen.has(next), what);
      seen.add(next);
    };
    const { chmodSync, utimesSync } = await import('node:fs');
    await changed('bytes', () => put('h/one', '3'));
    await changed('size', () => put('h/one', '33'));
    await changed('mode', () => chmodSync(join(root, 'h/one'), 0o700));
    await changed('an empty folder', () => mkdirSync(join(root, 'h/empty')));
    await changed('where a link points to', () => {
      rmSync(join(root, 'h/link'));
      symlinkSync('two', join(root, 'h/link'));
    });
    await changed('a name', () => linkSync(join(root, 'h/two'), join(root, 'h/three')));
    await changed('a big file', () => put('h/big', 'x'.repeat(300_000)));
    await changed('its end', () => put('h/big', `${'x'.repeat(299_999)}y`));
    const before = await hash('h');
    utimesSync(join(root, 'h/one'), 1, 1);
    assert.equal(await hash('h'), before);
  });
});
