import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';

import { StatusError } from '#base/errors.ts';
import { type GitUrl, isGitUrl, parseGitUrl, withoutCredentials } from './git-url.ts';

const plain = { credentials: '', ref: '', subdir: '', commit: '', keepGitDir: undefined, submodules: true };

test('what is taken for a repository', () => {
  const yes = [
    'git://h/r',
    'ssh://git@h/r',
    'git@h:r',
    'https://h/r.git',
    'http://h/r.git#v1',
    'https://h/r.git?tag=1',
  ];
  const no = ['https://h/r', 'https://h/file?x=.git', 'https://h/r.git/file', 'git', 'a@b', 'file:///r.git', './r.git'];
  assert.deepEqual(yes.filter(isGitUrl), yes);
  assert.deepEqual(no.filter(isGitUrl), []);
});

describe('parts', () => {
  const table: readonly (readonly [string, Partial<GitUrl>])[] = [
    ['https://h/r.git', { remote: 'https://h/r.git' }],
    ['https://h/r.git#v1:docs/a/', { remote: 'https://h/r.git', ref: 'v1', subdir: 'docs/a' }],
    ['git@h:a/r.git#:docs', { remote: 'git@h:a/r.git', subdir: 'docs' }],
    ['ssh://git@h:22/r#main', { remote: 'ssh://git@h:22/r', ref: 'main' }],
    ['https://me:p%40ss@h/r.git', { remote: 'https://h/r.git', credentials: 'me:p@ss' }],
    ['https://h/r.git?branch=a/b&subdir=x', { remote: 'https://h/r.git', ref: 'refs/heads/a/b', subdir: 'x' }],
    ['https://h/r.git?tag=v1&keep-git-dir=1', { remote: 'https://h/r.git', ref: 'refs/tags/v1', keepGitDir: true }],
    [
      'https://h/r.git?checksum=abcdef0&submodules=false',
      { commit: 'abcdef0', submodules: false, remote: 'https://h/r.git' },
    ],
  ];
  for (const [text, parts] of table) test(text, () => assert.deepEqual(parseGitUrl(text), { ...plain, ...parts }));
});

test('what makes no sense is refused', () => {
  for (const text of [
    'https://h/r.git#a..b',
    'https://h/r.git#--upload-pack=x',
    'https://h/r.git#x:../y',
    'https://h/r.git?what=1',
    'https://h/r.git?tag=a&branch=b',
    'https://h/r.git?checksum=short',
    'https://h/r.git?ref=a#b',
    'https://h/r.git?submodules=maybe',
  ])
    assert.throws(() => parseGitUrl(text), { reason: 'InvalidArgument' }, text);
});

test('any text is parsed or refused, and never becomes an option of git', () => {
  const parts = fc.constantFrom(
    'https://h/r.git',
    'git@h:r',
    '#',
    '?',
    ':',
    '/',
    '..',
    '-',
    'ref=',
    '&',
    'tag=',
    '@',
    '%',
  );
  const text = fc.oneof(
    fc.string(),
    fc.array(fc.oneof(parts, fc.string())).map((all) => all.join('')),
  );
  fc.assert(
    fc.property(text, (written) => {
      try {
        const { ref, subdir, remote } = parseGitUrl(written);
        assert.ok(!ref.startsWith('-') && !remote.startsWith('-'));
        assert.ok(!subdir.split('/').includes('..') && !subdir.startsWith('/'));
      } catch (error) {
        assert.ok(error instanceof StatusError, String(error));
      }
    }),
    { numRuns: 300 },
  );
});

test('credentials are hidden', () => {
  assert.equal(withoutCredentials('https://me:pass@h/r.git#x'), 'https://xxxxx:xxxxx@h/r.git#x');
  assert.equal(withoutCredentials('git@h:r'), 'git@h:r');
});
