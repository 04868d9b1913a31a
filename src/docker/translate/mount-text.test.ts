import assert from 'node:assert/strict';
import { test } from 'node:test';

import { parseMountText } from './mount-text.ts';

test('parseMountText() reads what --mount takes', () => {
  assert.deepEqual(parseMountText('type=bind,src=/a,dst=/b,readonly,bind-recursive=writable,bind-propagation=rslave'), {
    Type: 'bind',
    Source: '/a',
    Target: '/b',
    ReadOnly: true,
    BindOptions: { ReadOnlyNonRecursive: true, Propagation: 'rslave' },
  });
  assert.deepEqual(parseMountText('source=data,target=/d,volume-nocopy,volume-subpath=a/b,ro=false'), {
    Type: 'volume',
    Source: 'data',
    Target: '/d',
    ReadOnly: false,
    VolumeOptions: { NoCopy: true, Subpath: 'a/b' },
  });
  assert.deepEqual(parseMountText('type=tmpfs,dst=/t,tmpfs-size=4096,tmpfs-mode=1770'), {
    Type: 'tmpfs',
    Target: '/t',
    TmpfsOptions: { SizeBytes: 4096, Mode: 0o1770 },
  });
});

test('parseMountText() refuses what it would have to ignore', () => {
  for (const bad of [
    'type=bind,color=red',
    'readonly=maybe',
    'tmpfs-size=1m',
    'tmpfs-mode=9',
    'bind-recursive=some',
    'toString=1',
    '',
  ])
    assert.throws(() => parseMountText(bad), { reason: 'InvalidArgument' }, bad);
});
