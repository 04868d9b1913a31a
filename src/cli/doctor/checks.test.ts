import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { instancePaths } from '#app/instance-paths.ts';

import type { Finding, Host } from './check.ts';
import { checks } from './checks.ts';

const gibibyte = 1024 ** 3;

const healthyFiles: Readonly<Record<string, string>> = {
  '/proc/sys/kernel/osrelease': '6.1.0-35-amd64\n',
  '/proc/filesystems': 'nodev\tsysfs\nnodev\toverlay\n\text4\n',
  '/proc/sys/net/ipv4/ip_forward': '1\n',
  '/proc/meminfo': 'MemTotal:        2000000 kB\nMemAvailable:    1000000 kB\n',
  '/proc/self/limits':
    'Limit                     Soft Limit           Hard Limit           Units\nMax open files            1024                 524288               files\n',
  '/sys/fs/cgroup/cgroup.controllers': 'cpuset cpu io memory hugetlb pids rdma misc\n',
};

const versions: Readonly<Record<string, string>> = {
  crun: 'crun version 1.8.1',
  runc: 'runc version 1.1.5+ds1',
  conmon: 'conmon version 2.1.6',
};

interface Answers {
  readonly files?: Readonly<Record<string, string | undefined>>;
  readonly host?: Partial<Host>;
}

/** A machine on which all is well, but for what the answers say. */
function machine({ files = {}, host = {} }: Answers): Host {
  const all: Readonly<Record<string, string | undefined>> = { ...healthyFiles, ...files };
  return {
    paths: instancePaths('/'),
    env: {},
    nowMs: Date.UTC(2027, 5, 1),
    read: (path) => all[path],
    exists: (path) => all[path] !== undefined,
    linkTarget: () => undefined,
    version: async (program) => versions[program],
    hasProgram: () => true,
    diskSpace: () => ({ freeBytes: 20 * gibibyte, totalBytes: 100 * gibibyte }),
    tryOverlay: () => undefined,
    chains: () => [{ family: 'ip', table: 'filter', name: 'FORWARD', hook: 'forward', policy: 'accept' }],
    ...host,
  };
}

async function find(name: string, answers: Answers): Promise<Finding> {
  const check = checks.find((one) => one.name === name);
  assert.ok(check !== undefined, name);
  return check.run(machine(answers));
}

/** name, what the machine answers, state, words of the finding, words of the mending command. */
const troubles: readonly (readonly [string, Answers, Finding['state'], RegExp, RegExp])[] = [
  [
    'kernel version',
    { files: { '/proc/sys/kernel/osrelease': '4.19.0' } },
    'fail',
    /4\.19\.0 is older than 5\.10/,
    /linux-image/,
  ],
  [
    'control groups',
    { files: { '/sys/fs/cgroup/cgroup.controllers': 'cpu pids' } },
    'warn',
    /v2 has no controller memory/,
    /cgroup_enable=memory/,
  ],
  [
    'control groups',
    { files: { '/sys/fs/cgroup/cgroup.controllers': undefined } },
    'fail',
    /no cgroup controllers/,
    /mount -t cgroup2/,
  ],
  [
    'overlay filesystem',
    { host: { tryOverlay: () => 'mount: EINVAL' } },
    'fail',
    /does not work on the filesystem of \/var\/lib\/slipway: mount: EINVAL/,
    /--root DIR/,
  ],
  [
    'overlay filesystem',
    { host: { tryOverlay: () => 'ENODEV' }, files: { '/proc/filesystems': '' } },
    'fail',
    /does not know overlayfs/,
    /modprobe overlay/,
  ],
  [
    'disk space',
    { host: { diskSpace: () => ({ freeBytes: gibibyte, totalBytes: 10 * gibibyte }) } },
    'warn',
    /only 1\.0 of 10\.0 GiB/,
    /prune/,
  ],
  [
    'disk space',
    { host: { diskSpace: () => ({ freeBytes: 1e8, totalBytes: 10 * gibibyte }) } },
    'fail',
    /only 0\.1 of/,
    /prune/,
  ],
  ['memory', { files: { '/proc/meminfo': 'MemAvailable:  51200 kB\n' } }, 'warn', /only 50 MiB/, /docker stats/],
  [
    'open files',
    { files: { '/proc/self/limits': 'Max open files            256                  1024                 files\n' } },
    'warn',
    /only 1024 open files/,
    /ulimit/,
  ],
  [
    'clock',
    { host: { nowMs: Date.UTC(1970, 0, 1) } },
    'fail',
    /1970-01-01 00:00:00 UTC, which is in the past/,
    /timesyncd/,
  ],
  [
    'runtime',
    { host: { version: async () => undefined } },
    'fail',
    /runc, which starts containers, is not installed/,
    /apt-get install runc/,
  ],
  [
    'conmon',
    { host: { version: async () => 'conmon version 1.9.2' } },
    'fail',
    /conmon 1\.9\.2 is older than 2\.0/,
    /apt-get install conmon/,
  ],
  ['debootstrap', { host: { hasProgram: () => false } }, 'warn', /image bootstrap/, /install debootstrap/],
  ['mkfs.ext4', { host: { hasProgram: () => false } }, 'warn', /volumes with a size/, /install e2fsprogs/],
  [
    'nftables',
    { host: { chains: () => ({ error: 'no such library' }) } },
    'fail',
    /no published port: no such library/,
    /libnftables1/,
  ],
  ['IP forwarding', { files: { '/proc/sys/net/ipv4/ip_forward': '0\n' } }, 'warn', /forwarding is off/, /ip_forward=1/],
  [
    'forward policy',
    { host: { chains: () => [{ family: 'ip', table: 'filter', name: 'FORWARD', hook: 'forward', policy: 'drop' }] } },
    'warn',
    /ip filter FORWARD drops/,
    /nft insert rule ip filter FORWARD/,
  ],
  [
    'docker socket',
    { files: { '/var/run/docker.sock': '' } },
    'warn',
    /belongs to another Docker/,
    /export DOCKER_HOST/,
  ],
  [
    'configuration',
    { host: { env: { SLIPWAY_LOG_LEVEL: 'loud' } } },
    'fail',
    /SLIPWAY_LOG_LEVEL: log.level is not one of/,
    /slipway\.yaml/,
  ],
];

describe('slipway doctor', () => {
  test('finds nothing wrong on a healthy machine', async () => {
    const findings = await Promise.all(checks.map(async (check) => check.run(machine({}))));
    for (const [index, finding] of findings.entries()) {
      assert.equal(finding.state, 'ok', `${checks[index]?.name ?? ''}: ${finding.text}`);
      assert.equal(finding.fix, undefined);
    }
    assert.equal(new Set(checks.map((check) => check.name)).size, checks.length);
  });

  for (const [name, answers, state, text, fix] of troubles) {
    test(`${name}: ${text.source}`, async () => {
      const finding = await find(name, answers);
      assert.equal(finding.state, state);
      assert.match(finding.text, text);
      assert.match(finding.fix ?? '', fix);
    });
  }

  test('knows cgroup v1 by its mounted controllers', async () => {
    const files = {
      '/sys/fs/cgroup/cgroup.controllers': undefined,
      '/sys/fs/cgroup/cpu/tasks': '',
      '/sys/fs/cgroup/memory/tasks': '',
      '/sys/fs/cgroup/pids/tasks': '',
    };
    assert.deepEqual(await find('control groups', { files }), {
      state: 'ok',
      text: 'cgroup v1 with cpu, memory, pids',
    });
  });

  test('leaves our own forward chains alone, and another root to its own socket', async () => {
    const chains: Host['chains'] = () => [
      { family: 'inet', table: 'slipway', name: 'forward', hook: 'forward', policy: 'drop' },
    ];
    assert.equal((await find('forward policy', { host: { chains } })).state, 'ok');
    const elsewhere = await find('docker socket', {
      host: { paths: instancePaths('/r') },
      files: { '/var/run/docker.sock': '' },
    });
    assert.equal(elsewhere.state, 'ok');
    assert.match(elsewhere.text, /DOCKER_HOST=unix:\/\/\/r\/run\/slipway\/docker\.sock/);
  });
});

test('one runtime is enough, and both are told', async () => {
  const only = (name: string): Answers => ({
    host: { version: async (program) => (program === name ? versions[program] : undefined) },
  });
  assert.deepEqual(await find('runtime', {}), { state: 'ok', text: 'crun 1.8.1, runc 1.1.5+ds1' });
  assert.deepEqual(await find('runtime', only('crun')), { state: 'ok', text: 'crun 1.8.1' });
  assert.deepEqual(await find('runtime', only('runc')), { state: 'ok', text: 'runc 1.1.5+ds1' });
});
