import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import test, { type TestContext } from 'node:test';

import { openCgroups } from './cgroups.ts';

test('reads a pure v2 tree', (t) => {
  const root = makeTree(t, {
    'cgroup.controllers': 'cpu io memory pids\n',
    'slipway/one/cpu.stat':
      'usage_usec 1500\nuser_usec 1000\nsystem_usec 500\nnr_periods 4\nnr_throttled 2\nthrottled_usec 7\n',
    'slipway/one/memory.current': '4096\n',
    'slipway/one/memory.max': 'max\n',
    'slipway/one/memory.stat': 'anon 10\ninactive_file 1024\n',
    'slipway/one/memory.events': 'low 0\noom 1\noom_kill 3\n',
    'slipway/one/pids.current': '2\n',
    'slipway/one/pids.max': '100\n',
    'slipway/one/io.stat': '254:0 rbytes=10 wbytes=20 rios=1 wios=1 dbytes=0 dios=0\n8:0 rbytes=1 wbytes=2\n',
    'slipway/one/cgroup.events': 'populated 1\nfrozen 1\n',
    'slipway/one/cgroup.procs': '12\n13\n',
    'slipway/one/inner/cgroup.procs': '14\n',
  });
  const cgroups = openCgroups(root);
  assert.equal(cgroups.mode, 'v2');
  assert.deepEqual(cgroups.controllers, ['cpu', 'io', 'memory', 'pids']);
  assert.deepEqual(cgroups.stats('/slipway/one'), {
    cpu: {
      totalNs: 1_500_000n,
      userNs: 1_000_000n,
      systemNs: 500_000n,
      perCpuNs: [],
      periods: 4,
      throttledPeriods: 2,
      throttledNs: 7000n,
    },
    memory: {
      usageBytes: 4096,
      inactiveFileBytes: 1024,
      mostBytes: undefined,
      failures: undefined,
      limitBytes: undefined,
      details: { anon: 10, inactive_file: 1024 },
    },
    pids: { current: 2, limit: 100 },
    block: {
      bytes: [
        { major: 254, minor: 0, operation: 'read', value: 10 },
        { major: 254, minor: 0, operation: 'write', value: 20 },
        { major: 8, minor: 0, operation: 'read', value: 1 },
        { major: 8, minor: 0, operation: 'write', value: 2 },
      ],
      operations: [
        { major: 254, minor: 0, operation: 'read', value: 1 },
        { major: 254, minor: 0, operation: 'write', value: 1 },
      ],
    },
  });
  assert.deepEqual(cgroups.pids('/slipway/one'), [12, 13, 14]);
  assert.equal(cgroups.isFrozen('/slipway/one'), true);
  assert.equal(cgroups.oomKills('/slipway/one'), 3);
  assert.equal(cgroups.folder('memory', '/slipway/one'), join(root, 'slipway/one'));
});

test('reads a hybrid tree with controllers that are mounted together', (t) => {
  const root = makeTree(t, {
    'unified/cgroup.controllers': '\n',
    'cpu,cpuacct/one/cpuacct.usage': '12345678901234567\n',
    'cpu,cpuacct/one/cpuacct.stat': 'user 3\nsystem 1\n',
    'cpu,cpuacct/one/cpu.stat': 'nr_periods 9\nnr_throttled 1\nthrottled_time 55\n',
    'memory/one/memory.usage_in_bytes': '8192\n',
    'memory/one/memory.limit_in_bytes': '9223372036854771712\n',
    'cpu,cpuacct/one/cpuacct.usage_percpu': '7 8 \n',
    'memory/one/memory.max_usage_in_bytes': '9000\n',
    'memory/one/memory.failcnt': '4\n',
    'memory/one/memory.stat': 'inactive_file 1\ntotal_inactive_file 2048\n',
    'memory/one/memory.oom_control': 'oom_kill_disable 0\nunder_oom 0\noom_kill 1\n',
    'pids/one/pids.current': '1\n',
    'pids/one/pids.max': 'max\n',
    'pids/one/cgroup.procs': '77\n',
    'blkio/one/blkio.throttle.io_service_bytes_recursive': '254:0 Read 5\n254:0 Write 6\n254:0 Total 11\nTotal 11\n',
    'freezer/one/freezer.state': 'THAWED\n',
  });
  const cgroups = openCgroups(root);
  assert.equal(cgroups.mode, 'hybrid');
  const stats = cgroups.stats('/one');
  assert.equal(stats.cpu.totalNs, 12345678901234567n);
  assert.equal(stats.cpu.userNs, 30_000_000n);
  assert.equal(stats.cpu.throttledNs, 55n);
  assert.equal(stats.memory.limitBytes, undefined);
  assert.equal(stats.memory.inactiveFileBytes, 2048);
  assert.deepEqual(stats.cpu.perCpuNs, [7n, 8n]);
  assert.deepEqual([stats.memory.mostBytes, stats.memory.failures], [9000, 4]);
  assert.deepEqual(stats.block, {
    bytes: [
      { major: 254, minor: 0, operation: 'Read', value: 5 },
      { major: 254, minor: 0, operation: 'Write', value: 6 },
      { major: 254, minor: 0, operation: 'Total', value: 11 },
    ],
    operations: [],
  });
  assert.deepEqual(stats.pids, { current: 1, limit: undefined });
  assert.deepEqual(cgroups.pids('/one'), [77]);
  assert.equal(cgroups.isFrozen('/one'), false);
  assert.equal(cgroups.oomKills('/one'), 1);
});

test('a tree without v2 is v1, and a cgroup that is gone counts nothing', (t) => {
  const cgroups = openCgroups(makeTree(t, { 'memory/cgroup.procs': '', 'pids/cgroup.procs': '' }));
  assert.equal(cgroups.mode, 'v1');
  assert.equal(cgroups.exists('/gone'), false);
  assert.equal(cgroups.stats('/gone').cpu.totalNs, 0n);
  assert.deepEqual(cgroups.pids('/gone'), []);
  assert.equal(cgroups.oomKills('/gone'), 0);
  assert.equal(cgroups.folder('cpuset', '/gone'), undefined);
  assert.equal(cgroups.remove('/gone'), true);
});

function makeTree(t: TestContext, files: Readonly<Record<string, string>>): string {
  const root = mkdtempSync(join(tmpdir(), 'cgroups-'));
  t.after(() => rmSync(root, { recursive: true }));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}
