import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';

import { parseDockerfile } from '#formats/dockerfile/parse-dockerfile.ts';
import { contextPaths } from './context-paths.ts';

function paths(text: string, { target = '', triggers }: { target?: string; triggers?: readonly string[] } = {}) {
  const names = { dockerfile: parseDockerfile(text), globals: new Map(), contexts: {} };
  return contextPaths(names, target, (image) => (image === 'unknown' ? undefined : (triggers ?? [])));
}

test('what COPY, ADD and binds name, of the stages that are needed', () => {
  const text = `FROM busybox AS first
COPY a.txt ./b/../c/ /to/
ADD https://host/x.tar data/*.csv /to/
FROM busybox AS second
COPY elsewhere /
FROM busybox
COPY --from=first /to /to
RUN --mount=type=bind,source=scripts,target=/s --mount=type=cache,target=/c true
`;
  assert.deepEqual(paths(text), ['a.txt', 'c', 'data/*.csv', 'scripts']);
  assert.deepEqual(paths(text, { target: 'second' }), ['elsewhere']);
  assert.deepEqual(paths('FROM busybox\nRUN true\nCOPY <<EOF /x\nhi\nEOF\n'), []);
});

test('what only the build knows is a folder, or all', () => {
  assert.deepEqual(paths('FROM busybox\nARG X\nCOPY src/$X/a src/lib/**/*.ts /\n'), ['src', 'src/lib']);
  assert.equal(paths('FROM busybox\nCOPY $X /\n'), undefined);
  assert.equal(paths('FROM busybox\nCOPY src/$X/../../y /\n'), undefined);
  assert.equal(paths('FROM busybox\nCOPY . /\n'), undefined);
  assert.equal(paths('FROM busybox\nRUN --mount=target=/all true\n'), undefined);
});

test('triggers of a base count, and an image that is not here may have any', () => {
  assert.deepEqual(paths('FROM busybox\nCOPY a /\n', { triggers: ['COPY package.json /app/'] }), ['a', 'package.json']);
  assert.equal(paths('FROM unknown\nCOPY a /\n'), undefined);
  assert.deepEqual(paths('FROM scratch AS base\nONBUILD ADD hook /\nFROM base\nCOPY a /\n'), ['a', 'hook']);
});

test('paths never lead out, whatever is written', () => {
  const word = fc.string({ unit: fc.constantFrom('a', '/', '.', '*', '$', '"', '?'), minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(word, (source) => {
      let found: readonly string[] | undefined;
      try {
        found = paths(`FROM busybox\nCOPY ${source} /to/\n`);
      } catch {
        return;
      }
      for (const path of found ?? [])
        assert.ok(!path.startsWith('/') && !path.split('/').includes('..') && path !== '');
    }),
  );
});
