import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { cacheSources, cacheTargets } from './cache-options.ts';

const from = (attributes: Readonly<Record<string, string>>): ReturnType<typeof cacheSources> =>
  cacheSources(new Map(Object.entries(attributes)));
const imports = (...list: readonly object[]): Readonly<Record<string, string>> => ({
  'cache-imports': JSON.stringify(list),
});
const to = (type: string, attrs: Readonly<Record<string, string>> = {}): ReturnType<typeof cacheTargets> =>
  cacheTargets([{ type, attrs: new Map(Object.entries(attrs)) }]);

describe('caches that a client names', () => {
  test('to look steps up in, each once', () => {
    const one = { Type: 'registry', Attrs: { ref: 'r/one', 'image-manifest': 'true' } };
    assert.deepEqual(from({ ...imports(one), 'cache-from': 'r/two,r/one' }), ['r/one', 'r/two']);
    assert.deepEqual(from({}), []);
    const digest = `sha256:${'a'.repeat(64)}`;
    const folder = { Type: 'local', Attrs: { src: '/c', digest, tag: 'latest' } };
    assert.deepEqual(from(imports(folder)), [{ folder: '/c', digest }]);
  });

  test('to be written', () => {
    assert.deepEqual(to('inline'), [{ kind: 'inline' }]);
    const plain = { kind: 'registry', reference: 'r/a', mode: 'min', ignoresErrors: false };
    assert.deepEqual(to('registry', { ref: 'r/a' }), [plain]);
    const folder = { kind: 'folder', folder: '/c', mode: 'min', ignoresErrors: false };
    assert.deepEqual(to('local', { dest: '/c', reset: 'true' }), [folder]);
    const given = { ref: 'r/a', mode: 'max', 'ignore-error': 'true', 'oci-mediatypes': 'true' };
    assert.deepEqual(to('registry', given), [{ ...plain, mode: 'max', ignoresErrors: true }]);
  });

  for (const [what, work, words] of [
    ['from a folder without a digest', () => from(imports({ Type: 'local', Attrs: { src: 'x' } })), /from type=local/],
    ['from nowhere', () => from(imports({ Type: 'registry' })), /from type=registry/],
    ['from nonsense', () => from({ 'cache-imports': '{' }), /failed to unmarshal/],
    ['from no list', () => from({ 'cache-imports': '{}' }), /failed to unmarshal/],
    ['from a list of numbers', () => from({ 'cache-imports': '[1]' }), /from type=undefined/],
    ['to no folder', () => to('local'), /to type=local/],
    ['to GitHub', () => to('gha'), /to type=gha/],
    ['compressed otherwise', () => to('registry', { ref: 'r', compression: 'zstd' }), /compression/],
    ['in another mode', () => to('registry', { ref: 'r', mode: 'most' }), /invalid mode "most"/],
  ] as const)
    test(`${what} are refused`, () => {
      assert.throws(work, { message: words });
    });
});
