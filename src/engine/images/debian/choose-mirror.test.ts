import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { AptSource } from '#formats/apt-sources.ts';
import { parseDeb822Sources } from '#formats/apt-sources.ts';
import { chooseMirror, formatSources } from './choose-mirror.ts';

const keyring = '/usr/share/keyrings/debian.gpg';
const source = (uri: string, ...suites: string[]): AptSource => ({
  uri,
  suites,
  components: ['main'],
  signedBy: keyring,
});
const own = [
  { ...source('http://other.example/tools', 'bookworm'), components: ['tools'] },
  source('http://mirror.example/debian/', 'bookworm', 'bookworm-updates'),
  source('http://safe.example/debian-security', 'bookworm-security'),
];

test("the machine's own mirror is taken, for its suite and for others", () => {
  const bookworm = { uri: 'http://mirror.example/debian', securityUri: 'http://safe.example/debian-security', keyring };
  assert.deepEqual(chooseMirror(own, 'bookworm', undefined, undefined), {
    suite: 'bookworm',
    updates: true,
    ...bookworm,
  });
  assert.deepEqual(chooseMirror(own, 'trixie', undefined, 'bookworm'), { suite: 'trixie', updates: true, ...bookworm });
  assert.equal(chooseMirror(own, 'sid', undefined, 'bookworm').securityUri, undefined);
});

test('a mirror asked for has the security archive beside it', () => {
  const { uri, securityUri } = chooseMirror(own, 'bookworm', 'https://asked.example/pub/debian/', 'bookworm');
  assert.deepEqual(
    [uri, securityUri],
    ['https://asked.example/pub/debian', 'https://asked.example/pub/debian-security'],
  );
});

test('without a mirror, and for what is no suite or address, the way out is said', () => {
  assert.throws(() => chooseMirror([], 'bookworm', undefined, 'bookworm'), {
    reason: 'InvalidArgument',
    message: /name a mirror$/,
  });
  for (const suite of ['', '--help', 'a/b', 'Bookworm']) {
    assert.throws(() => chooseMirror(own, suite, undefined, 'bookworm'), { reason: 'InvalidArgument' }, suite);
  }
  for (const mirror of ['file:///srv/debian', 'not an address', "http://x/'"]) {
    assert.throws(() => chooseMirror(own, 'bookworm', mirror, 'bookworm'), { reason: 'InvalidArgument' }, mirror);
  }
});

test("the image's sources name the same mirror with updates and security", () => {
  const text = formatSources(chooseMirror(own, 'trixie', undefined, 'bookworm'), keyring);
  assert.deepEqual(parseDeb822Sources(text), [
    source('http://mirror.example/debian', 'trixie', 'trixie-updates'),
    source('http://safe.example/debian-security', 'trixie-security'),
  ]);
});
