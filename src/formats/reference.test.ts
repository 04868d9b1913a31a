import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { StatusError } from '#base/errors.ts';
import { familiarName, familiarReference, fullReference, parseReference, withDefaultTag } from './reference.ts';

const hex = 'a3ed95caeb02ffe68cdd9fd84406680ae93d633cb16422d00e8a7c22955b46d4';

test('familiar names are normalised and come back as they were written', () => {
  const rows: readonly (readonly [text: string, full: string, familiar: string])[] = [
    ['debian', 'docker.io/library/debian', 'debian'],
    ['debian:12', 'docker.io/library/debian:12', 'debian:12'],
    ['docker.io/debian', 'docker.io/library/debian', 'debian'],
    ['index.docker.io/library/debian:12', 'docker.io/library/debian:12', 'debian:12'],
    ['someone/app:1.0', 'docker.io/someone/app:1.0', 'someone/app:1.0'],
    ['docker.io/library/a/b', 'docker.io/library/a/b', 'library/a/b'],
    ['localhost/app', 'localhost/app', 'localhost/app'],
    ['localhost:5000/app:1', 'localhost:5000/app:1', 'localhost:5000/app:1'],
    ['127.0.0.1:5000/a/b/c', '127.0.0.1:5000/a/b/c', '127.0.0.1:5000/a/b/c'],
    ['[::1]:5000/app', '[::1]:5000/app', '[::1]:5000/app'],
    ['MyHost/app', 'MyHost/app', 'MyHost/app'],
    [`debian@sha256:${hex}`, `docker.io/library/debian@sha256:${hex}`, `debian@sha256:${hex}`],
    [`h.example/a:1@sha256:${hex}`, `h.example/a:1@sha256:${hex}`, `h.example/a:1@sha256:${hex}`],
    ['a__b/c---d.e', 'docker.io/a__b/c---d.e', 'a__b/c---d.e'],
  ];
  for (const [text, full, familiar] of rows) {
    const reference = parseReference(text);
    assert.equal(fullReference(reference), full, text);
    assert.equal(familiarReference(reference), familiar, text);
  }
});

test('the default tag is added only to bare names', () => {
  assert.equal(withDefaultTag(parseReference('debian')).tag, 'latest');
  assert.equal(withDefaultTag(parseReference('debian:12')).tag, '12');
  assert.equal(withDefaultTag(parseReference(`debian@sha256:${hex}`)).tag, undefined);
  assert.equal(familiarName(parseReference('debian:12')), 'debian');
});

test('what is no reference is refused in words that Docker clients know', () => {
  const rows: readonly (readonly [text: string, message: RegExp])[] = [
    ['', /^invalid reference format$/],
    [' debian', /^invalid reference format$/],
    ['-debian', /^invalid reference format$/],
    ['debian:', /^invalid reference format$/],
    ['debian:a b', /^invalid reference format$/],
    [`debian:${'t'.repeat(129)}`, /^invalid reference format$/],
    ['a//b', /^invalid reference format$/],
    ['a/../b', /^invalid reference format$/],
    ['a___b', /^invalid reference format$/],
    ['h.example/', /^invalid reference format$/],
    ['h.example:port/a', /^invalid reference format$/],
    ['debian@sha256:abc', /^invalid reference format$/],
    [`debian@sha256:${hex}00`, /^invalid checksum digest length$/],
    [`debian@sha512:${hex}`, /^unsupported digest algorithm/],
    ['Debian', /^invalid reference format: repository name \(library\/Debian\) must be lowercase$/],
    [hex, /cannot specify 64-byte hexadecimal strings$/],
    [`h.example/${'a'.repeat(256)}`, /^repository name must not be more than 255 characters$/],
  ];
  for (const [text, message] of rows) {
    assert.throws(() => parseReference(text), { name: 'StatusError', reason: 'InvalidArgument', message }, text);
  }
});

const component = fc.stringMatching(/^[a-z0-9]{1,6}(?:(?:\.|_|__|-{1,3})[a-z0-9]{1,6}){0,2}$/);
const domain = fc.constantFrom('docker.io', 'localhost', 'localhost:5000', 'h.example', '10.0.0.1:443', '[fd00::1]:5');
const digest = fc.stringMatching(/^[0-9a-f]{64}$/).map((digits) => `sha256:${digits}` as const);

test('every reference survives formatting and parsing, in both forms', () => {
  const reference = fc.record(
    {
      domain,
      path: fc.array(component, { minLength: 2, maxLength: 4 }).map((parts) => parts.join('/')),
      tag: fc.option(fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}$/), { nil: undefined }),
      digest: fc.option(digest, { nil: undefined }),
    },
    { noNullPrototype: true },
  );
  fc.assert(
    fc.property(reference, (value) => {
      // A path whose first part reads as a domain is not a familiar name of the default domain.
      fc.pre(value.domain !== 'docker.io' || !/^(?:localhost|[^/]*\.[^/]*)\//.test(value.path));
      assert.deepEqual(parseReference(fullReference(value)), value);
      assert.deepEqual(parseReference(familiarReference(value)), value);
    }),
    { numRuns: 200 },
  );
});

test('any text is either refused as InvalidArgument or normalised to a fixed point', () => {
  const alphabet = fc.constantFrom(...Array.from('aB0.:/@-_[] \u0000\u00e9sha256'));
  fc.assert(
    fc.property(fc.string({ unit: alphabet, maxLength: 90 }), (text) => {
      let parsed;
      try {
        parsed = parseReference(text);
      } catch (error) {
        assert.ok(error instanceof StatusError && error.reason === 'InvalidArgument');
        return;
      }
      assert.deepEqual(parseReference(fullReference(parsed)), parsed);
    }),
    { numRuns: 200 },
  );
});
