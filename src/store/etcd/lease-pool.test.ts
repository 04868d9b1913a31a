import assert from 'node:assert/strict';
import { test } from 'node:test';

import { never } from '#kit/store-suite/driver.ts';

import { LeasePool } from './lease-pool.ts';

test('values of one time to live share a lease, which lasts longer than the first of them needs', async () => {
  const asked: bigint[] = [];
  const pool = new LeasePool(async (ttl) => await Promise.resolve(BigInt(asked.push(ttl))));
  const ids = await Promise.all([3600, 3600, 7200, 3600].map(async (ttl) => await pool.leaseFor(ttl, never)));
  assert.deepEqual(ids, [1n, 1n, 2n, 1n]);
  assert.deepEqual(asked, [3660n, 7260n]);
});

test('a lease has a bounded number of values', async () => {
  let granted = 0n;
  const pool = new LeasePool(async () => await Promise.resolve((granted += 1n)));
  const ids = new Set<bigint>();
  for (let count = 0; count < 1200; count += 1) ids.add(await pool.leaseFor(3600, never));
  assert.deepEqual([...ids], [1n, 2n, 3n]);
});

test('a lease that was not granted is asked for again', async () => {
  let fails = true;
  const pool = new LeasePool(async () => {
    if (fails) throw new Error('not now');
    return await Promise.resolve(5n);
  });
  await assert.rejects(pool.leaseFor(60, never), /not now/);
  fails = false;
  assert.equal(await pool.leaseFor(60, never), 5n);
});
