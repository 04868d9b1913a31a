import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { splitLimits, writeLimits } from './crun-limits.ts';

const device = { major: 8, minor: 0 };
const resources = {
  memory: { limit: 1 },
  pids: { limit: -1 },
  blockIO: { weight: 300, weightDevice: [{ ...device, weight: 50 }], throttleReadBpsDevice: [{ ...device, rate: 5 }] },
};

test('runc gets all, crun what it can write', () => {
  assert.deepEqual(splitLimits('runc', resources, 'v1'), { given: resources, own: {} });
  const { throttleReadBpsDevice, ...weights } = resources.blockIO;
  assert.deepEqual(splitLimits('crun', resources, 'hybrid'), {
    given: { memory: { limit: 1 }, blockIO: { throttleReadBpsDevice } },
    own: { pids: { limit: -1 }, blockIO: weights },
  });
  assert.deepEqual(splitLimits('crun', resources, 'v2'), {
    given: { memory: { limit: 1 }, blockIO: resources.blockIO },
    own: { pids: { limit: -1 } },
  });
  assert.deepEqual(splitLimits('crun', { pids: { limit: 5 } }, 'v1'), { given: { pids: { limit: 5 } }, own: {} });
});

test('the rest is written where the kernel has it', (t) => {
  const root = mkdtempSync(join(tmpdir(), 'slipway-limits-'));
  t.after(() => rmSync(root, { recursive: true }));
  for (const controller of ['pids', 'blkio']) mkdirSync(join(root, controller, 'one'), { recursive: true });
  const weight = join(root, 'blkio/one/blkio.bfq.weight');
  const ofDevice = join(root, 'blkio/one/blkio.bfq.weight_device');
  for (const path of [weight, ofDevice]) writeFileSync(path, '');
  const cgroups = { folder: (controller: string, path: string) => join(root, controller, path) };
  writeLimits(cgroups, 'one', splitLimits('crun', resources, 'v1').own);
  assert.equal(readFileSync(join(root, 'pids/one/pids.max'), 'utf8'), 'max');
  assert.equal(readFileSync(weight, 'utf8'), '300');
  assert.equal(readFileSync(ofDevice, 'utf8'), '8:0 50');
});
