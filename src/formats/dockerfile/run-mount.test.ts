import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';

import { StatusError } from '#base/errors.ts';
import { parseRunMount, runMountFrom } from './run-mount.ts';

test('a bind mount of the context is read-only', () => {
  assert.deepEqual(parseRunMount('target=/src'), {
    type: 'bind',
    from: '',
    source: '',
    target: '/src',
    readOnly: true,
    id: '',
    sharing: 'shared',
    env: '',
    required: false,
    mode: undefined,
    uid: undefined,
    gid: undefined,
    sizeBytes: 0,
  });
});

test('aliases, quotes and defaults', () => {
  const bind = parseRunMount('type=bind,from=build,src=/out,dst=/in,rw');
  assert.deepEqual([bind.from, bind.source, bind.target, bind.readOnly], ['build', '/out', '/in', false]);
  const cache = parseRunMount('type=cache,target=/root/.cache,sharing=locked,mode=0700,uid=1000,gid=50');
  assert.deepEqual([cache.id, cache.sharing, cache.mode], ['/root/.cache', 'locked', 0o700]);
  assert.deepEqual([cache.uid, cache.gid, cache.readOnly], [1000, 50, false]);
  assert.equal(parseRunMount('type=cache,id=apt,target=/var').id, 'apt');
  assert.equal(parseRunMount('type=tmpfs,target=/tmp,size=1.5m').sizeBytes, 1_572_864);
  assert.equal(parseRunMount('"target=/with,comma"').target, '/with,comma');
  assert.equal(parseRunMount('type=secret,id=token').required, false);
  assert.equal(parseRunMount('type=secret,id=token,required').required, true);
  assert.equal(parseRunMount('type=secret,id=token,required=false').required, false);
  assert.equal(parseRunMount('target=$D', (text) => text.replace('$D', '/d')).target, '/d');
});

test('from is found without looking at the rest', () => {
  assert.equal(runMountFrom('type=bind,uid=$X,from=build'), 'build');
  assert.equal(runMountFrom('target=/x'), '');
});

const wrong: readonly (readonly [string, RegExp])[] = [
  ['type=bnd,target=/x', /unsupported mount type "bnd" \(did you mean bind\?\)/],
  ['target=/x,targt=/y', /unexpected key 'targt' in 'targt=\/y' \(did you mean target\?\)/],
  ['target', /invalid field 'target' must be a key=value pair/],
  ['type=bind', /invalid mount target/],
  ['target=/x,ro=maybe', /invalid value for ro: maybe/],
  ['target=/x,mode=0700', /mode not allowed for "bind" type mounts/],
  ['type=cache,target=/x,sharing=mine', /unsupported sharing value "mine"/],
  ['target=/x,sharing=shared', /invalid cache sharing set for bind mount/],
  ['target=/x,size=1', /unexpected key 'size' for mount type 'bind'/],
  ['target=/x,required', /unexpected key 'required' for mount type 'bind'/],
  ['type=tmpfs,target=/x,size=lots', /invalid value for size: lots/],
  ['type=cache,target=/x,mode=9', /invalid value 9 for mode/],
  ['type=cache,target=/x,uid=-1', /invalid value -1 for uid/],
  ['type=secret', /one of source, target required/],
  ['type=secret,id=a,source=b', /both source and id/],
  ['type=secret,id=a,from=b', /should not have a from/],
  ['"target=/x', /failed to parse csv/],
  ['target=/x,__proto__=1', /unexpected key '__proto__'/],
];
for (const [value, message] of wrong)
  test(`--mount=${value} is refused`, () => assert.throws(() => parseRunMount(value), message));

test('any text gives a mount or a StatusError', () => {
  const piece = fc.constantFrom(
    'type',
    'target',
    'from',
    'size',
    'mode',
    '=',
    ',',
    '"',
    'cache',
    'bind',
    '1',
    '/x',
    '',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
      try {
        parseRunMount(pieces.join(''));
      } catch (error) {
        assert.ok(error instanceof StatusError, String(error));
      }
    }),
    { numRuns: 200 },
  );
});
