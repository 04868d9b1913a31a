import assert from 'node:assert/strict';
import test from 'node:test';

import * as fc from 'fast-check';

import { mountOf, mountsBelow, parseMountInfo } from './mount-info.ts';

const text = `22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 254:0 / / rw,relatime shared:1 master:2 - ext4 /dev/vda rw,discard
50 27 0:40 /inner /data/with\\040space rw - overlay overlay rw,lowerdir=1/fs:2/fs
51 50 0:41 / /data/with\\040space/deep ro,nosuid - tmpfs tmpfs ro
`;

test('reads the fields, with and without propagation', () => {
  const mounts = parseMountInfo(text);
  assert.equal(mounts.length, 4);
  assert.deepEqual(mounts[1], {
    mountId: 27,
    parentId: 1,
    device: '254:0',
    root: '/',
    mountPoint: '/',
    options: ['rw', 'relatime'],
    propagation: ['shared:1', 'master:2'],
    type: 'ext4',
    source: '/dev/vda',
    superOptions: ['rw', 'discard'],
  });
  assert.equal(mounts[2]?.mountPoint, '/data/with space');
});

test('finds what lies below, the deepest first', () => {
  const found = mountsBelow('/data', parseMountInfo(text)).map(({ mountPoint }) => mountPoint);
  assert.deepEqual(found, ['/data/with space/deep', '/data/with space']);
});

test('finds the mount that a path is in, the one that is seen', () => {
  const over = '60 27 0:50 / /data/with\\040space rw,nodev - tmpfs tmpfs rw\n';
  const point = (path: string, more = ''): string | undefined => mountOf(path, parseMountInfo(text + more))?.device;
  assert.equal(point('/nothing'), '254:0');
  assert.equal(point('/data/with space/x'), '0:40');
  assert.equal(point('/data/with space/x', over), '0:50');
  assert.equal(point('/data/with spaces'), '254:0');
  assert.equal(mountOf('/x', []), undefined);
});

test('any text is read without failing', () => {
  fc.assert(
    fc.property(fc.string(), (line) => parseMountInfo(line).length <= line.length),
    { numRuns: 100 },
  );
});
