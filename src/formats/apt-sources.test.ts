import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { parseDeb822Sources, parseSourcesList } from './apt-sources.ts';

test('one-line sources are read with their options', () => {
  const text = [
    '# deb http://old.example/debian bookworm main',
    'deb http://mirror.example/debian bookworm main contrib # near',
    'deb-src http://mirror.example/debian bookworm main',
    'deb [ arch=amd64 signed-by=/usr/share/keyrings/a.gpg ] https://other.example/x stable main',
    'deb http://flat.example/repo ./',
    'nonsense',
  ].join('\n');
  assert.deepEqual(parseSourcesList(text), [
    {
      uri: 'http://mirror.example/debian',
      suites: ['bookworm'],
      components: ['main', 'contrib'],
      signedBy: undefined,
    },
    {
      uri: 'https://other.example/x',
      suites: ['stable'],
      components: ['main'],
      signedBy: '/usr/share/keyrings/a.gpg',
    },
    { uri: 'http://flat.example/repo', suites: ['./'], components: [], signedBy: undefined },
  ]);
});

test('deb822 stanzas are read, disabled and source stanzas are not', () => {
  const text = `# a comment
Types: deb deb-src
# another, within
URIs: http://mirror.example/debian
 http://second.example/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian.gpg

Types: deb-src
URIs: http://source.example

Types: deb
Enabled: no
URIs: http://off.example
Suites: x

types: deb
uris: http://inline.example
suites: x
signed-by:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 abc
`;
  const main = { suites: ['bookworm', 'bookworm-updates'], components: ['main'] };
  const signedBy = '/usr/share/keyrings/debian.gpg';
  assert.deepEqual(parseDeb822Sources(text), [
    { uri: 'http://mirror.example/debian', ...main, signedBy },
    { uri: 'http://second.example/debian', ...main, signedBy },
    { uri: 'http://inline.example', suites: ['x'], components: [], signedBy: undefined },
  ]);
});

test('no text throws', () => {
  const unit = fc.constantFrom('deb ', 'Types: deb\n', 'URIs:', ' [', ']', '\n', '#', 'http://x ', ':', 'é', '\t');
  fc.assert(
    fc.property(fc.string({ unit, maxLength: 30 }), (text) => {
      for (const source of [...parseSourcesList(text), ...parseDeb822Sources(text)]) assert.notEqual(source.uri, '');
    }),
    { numRuns: 200 },
  );
});
