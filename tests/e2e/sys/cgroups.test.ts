import assert from 'node:assert/strict';
import test from 'node:test';

import { openCgroups } from '#sys/cgroups.ts';

test('reads the real tree of this machine', () => {
  const cgroups = openCgroups();
  assert.ok(cgroups.controllers.includes('memory'), cgroups.controllers.join(' '));
  assert.equal(cgroups.exists('/'), true);
  assert.equal(cgroups.exists('/slipway-no-such-group'), false);
  assert.ok(cgroups.pids('/').includes(process.pid));
  assert.equal(cgroups.isFrozen('/'), false);
  const stats = cgroups.stats('/');
  assert.ok(stats.cpu.totalNs > 0n);
  if (cgroups.mode !== 'v2') assert.ok(stats.memory.usageBytes > 0);
});
