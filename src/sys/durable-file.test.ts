import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';

import { reasonOf } from '#base/errors.ts';
import { isObject } from '#base/json.ts';

import {
  makeFolderDurably,
  readJson,
  removeDurably,
  removeTemporaries,
  writeAllJsonDurably,
  writeDurably,
  writeJsonDurably,
} from './durable-file.ts';

test('replaces a file whole and leaves no temporary file', async (t) => {
  const folder = makeFolder(t);
  const path = join(folder, 'state.json');
  await writeDurably(path, 'one', 0o640);
  await Promise.all([writeDurably(path, 'two', 0o640), writeDurably(path, 'three', 0o640)]);
  assert.match(readFileSync(path, 'utf8'), /^(two|three)$/);
  assert.equal(statSync(path).mode & 0o777, 0o640);
  assert.deepEqual(readdirSync(folder), ['state.json']);
});

test('a write that fails leaves the old bytes and nothing else', async (t) => {
  const folder = makeFolder(t);
  await makeFolderDurably(join(folder, 'a/b/occupied'));
  await assert.rejects(writeDurably(join(folder, 'a/b/occupied'), 'x'));
  assert.deepEqual(readdirSync(join(folder, 'a/b')), ['occupied']);
});

test('several files are written at once, and none when one of them cannot be', async (t) => {
  const folder = makeFolder(t);
  await writeAllJsonDurably(folder, new Map(Object.entries({ 'a.json': { a: 1 }, 'b.json': { b: 2 } })));
  assert.deepEqual(await readJson(join(folder, 'b.json'), isObject), { b: 2 });
  const long = 'x'.repeat(300);
  await assert.rejects(writeAllJsonDurably(folder, new Map(Object.entries({ 'a.json': { a: 3 }, [long]: {} }))));
  assert.deepEqual(await readJson(join(folder, 'a.json'), isObject), { a: 1 });
  assert.deepEqual(readdirSync(folder).sort(), ['a.json', 'b.json']);
});

test('removing twice is fine', async (t) => {
  const path = join(makeFolder(t), 'x');
  await writeDurably(path, 'x');
  await removeDurably(path);
  await removeDurably(path);
  assert.equal(existsSync(path), false);
});

test('tells a missing file, a damaged one and a good one apart', async (t) => {
  const folder = makeFolder(t);
  const path = join(folder, 'x.json');
  assert.equal(await readJson(path, isObject), undefined);
  await writeJsonDurably(path, { a: 1 });
  assert.deepEqual(await readJson(path, isObject), { a: 1 });
  for (const broken of ['', '{"a":', '[]', '\0\0\0']) {
    writeFileSync(path, broken);
    await assert.rejects(readJson(path, isObject), (error) => reasonOf(error) === 'Damaged');
  }
});

test('cleans up after an interrupted write, and nothing else', async (t) => {
  const folder = makeFolder(t);
  for (const name of ['.x.json.0123456789ab.tmp', '.hidden', 'x.tmp']) writeFileSync(join(folder, name), '');
  await removeTemporaries(folder);
  assert.deepEqual(readdirSync(folder).sort(), ['.hidden', 'x.tmp']);
});

function makeFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'durable-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}
