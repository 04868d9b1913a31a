import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { isMountPoint } from '#sys/mount-info.ts';

import { folder, never, open, reason } from './world.ts';

/** Whether this process has CAP_SYS_RESOURCE, without which ext4 does not grow while it is mounted. */
function mayGrow(): boolean {
  const [, mask = '0'] = /^CapEff:\s*([0-9a-f]+)/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
  return (BigInt(`0x${mask}`) & (1n << 24n)) !== 0n;
}

const mib = 1024 ** 2;

test('a volume with a size is full at its size, keeps its data, and grows while it is used', async (t) => {
  const root = folder(t);
  {
    await using volumes = await open(root);
    await volumes.create({ name: 'small', options: { size: '16m' } });
    const data = await volumes.open('small', 'c1', never);
    assert.deepEqual(readdirSync(data), []);
    writeFileSync(join(data, 'kept'), 'kept');
    assert.throws(() => writeFileSync(join(data, 'big'), Buffer.alloc(20 * mib)), { code: 'ENOSPC' });

    assert.equal(await reason(volumes.resize('small', '32m')), mayGrow() ? 'none' : 'Forbidden');
    assert.equal(await reason(volumes.resize('small', '8m')), 'InvalidArgument');
    await volumes.close('small', 'c1');
    assert.equal(isMountPoint(data), false);
    await volumes.resize('small', '64m');
    assert.deepEqual(volumes.get('small').options, { size: '64m' });
    assert.deepEqual(volumes.status('small'), { Mounted: false, LimitBytes: 64 * mib });
  }
  await using volumes = await open(root);
  const data = await volumes.open('small', 'c1', never);
  assert.equal(readFileSync(join(data, 'kept'), 'utf8'), 'kept');
  writeFileSync(join(data, 'big'), Buffer.alloc(20 * mib));
  const { blocks, bsize } = statfsSync(data);
  assert.ok(blocks * bsize > 40 * mib && blocks * bsize <= 64 * mib);
  await volumes.close('small', 'c1');
  await volumes.remove('small', false);
  assert.deepEqual(readdirSync(root), []);
});

test('its disk space is what it holds, and comes back', async (t) => {
  await using volumes = await open(folder(t));
  await volumes.create({ name: 'sparse', options: { size: '1g' } });
  assert.ok((await volumes.sizeBytes('sparse', never)) < 64 * mib);
  assert.equal(await reason(volumes.resize('sparse', '2 apples')), 'InvalidArgument');
  await volumes.create({ name: 'plain' });
  assert.equal(await reason(volumes.resize('plain', '1g')), 'InvalidArgument');
});
