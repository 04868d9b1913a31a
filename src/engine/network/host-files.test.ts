import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { HostEtc } from './host-files.ts';

test('the files of the host are read, and missing ones are empty', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'slipway-etc-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  assert.deepEqual(new HostEtc(folder).containerDns(), { servers: [], search: [], options: [] });
  assert.equal(new HostEtc(folder).hosts(), '');
  writeFileSync(join(folder, 'hosts'), '127.0.0.1 localhost\n');
  writeFileSync(join(folder, 'resolv.conf'), 'nameserver 192.0.2.1\nnameserver 127.0.0.1\n');
  const etc = new HostEtc(folder);
  assert.equal(etc.hosts(), '127.0.0.1 localhost\n');
  assert.deepEqual(etc.dns().servers, ['192.0.2.1', '127.0.0.1']);
  assert.deepEqual(etc.containerDns(), etc.dns());
  writeFileSync(join(folder, 'resolv.conf'), 'nameserver 192.0.2.2\n');
  assert.deepEqual(etc.dns().servers, ['192.0.2.1', '127.0.0.1'], 'for a while the old ones hold');
});
