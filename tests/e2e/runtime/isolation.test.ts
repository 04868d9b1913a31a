import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import type { ContainerSpec, MountRequest } from '#engine/runtime/container.ts';
import { mountTmpfs, unmountTree } from '#sys/mounts.ts';
import { identify, isAlive } from '#sys/process.ts';
import { eventually } from '../../kit/eventually.ts';
import { never, World } from './world.ts';

let world: World;

before(async () => {
  world = await World.open();
});
after(async () => world?.[Symbol.asyncDispose]());

/** What a script prints in a container of its own; it must succeed. */
async function see(script: string, change: Partial<ContainerSpec> = {}): Promise<string> {
  const { stdout, stderr, exitCode } = await world.output(script, change);
  assert.equal(exitCode, 0, stderr);
  return stdout.trim();
}

function mount(
  type: MountRequest['type'],
  source: string,
  target: string,
  change: Partial<MountRequest> = {},
): MountRequest {
  return { type, source, target, readOnly: false, ...change };
}

test('nothing of the host shows, and what would change it is refused', async () => {
  const seen = await see(`
    echo pids $(ls -d /proc/[0-9]* | wc -l); echo host $(hostname); ls /sys/class/net; id -u
    mount -t tmpfs none /tmp 2>&1; mount -o remount,rw /proc/sys 2>&1; echo x > /proc/sys/kernel/hostname
    cat /proc/kcore | wc -c; mknod /tmp/sda b 8 0 && cat /tmp/sda; chroot / true && echo chrooted; unshare -n true
    echo end
  `);
  const lines = seen.split('\n');
  assert.match(lines[0] ?? '', /^pids [1-5]$/);
  assert.match(lines[1] ?? '', /^host [0-9a-f]{12}$/);
  assert.deepEqual(lines.slice(2, 4), ['lo', '0']);
  assert.ok(seen.includes('permission denied') || seen.includes('Operation not permitted'), seen);
  assert.ok(lines.includes('0') && lines.includes('chrooted') && lines.at(-1) === 'end', seen);
});

test('capabilities are those that were asked for', async () => {
  const caps = 'grep -E "CapEff|CapBnd" /proc/self/status | cut -f2 | sort -u';
  assert.equal(await see(caps), '00000000a80425fb');
  assert.equal(await see(caps, { capDrop: ['ALL'], capAdd: ['NET_RAW'] }), '0000000000002000');
  assert.equal(await see('grep CapEff /proc/self/status | cut -f2', { user: '65534' }), '0000000000000000');
  assert.equal(
    await see('grep NoNewPrivs /proc/self/status | cut -f2', { securityOptions: ['no-new-privileges'] }),
    '1',
  );
  assert.equal(await see('grep Seccomp: /proc/self/status | cut -f2'), '2');
  assert.equal(
    await see('grep Seccomp: /proc/self/status | cut -f2', { securityOptions: ['seccomp=unconfined'] }),
    '0',
  );
  const privileged = await see(
    'mount -t tmpfs none /tmp && grep Seccomp: /proc/self/status | cut -f2; ls /dev | wc -l',
    {
      privileged: true,
    },
  );
  assert.match(privileged, /^0\n\d{2,}$/);
  await assert.rejects(world.output('true', { capAdd: ['FLY'] }), { reason: 'InvalidArgument' });
});

test('users, groups, folders and environment are found in the image', async () => {
  assert.equal(await see('id -u; id -g; id -G; echo $HOME', { user: 'nobody' }), '65534\n65534\n65534\n/nonexistent');
  assert.equal(
    await see('id -u; id -G; echo $HOME', { user: '1234:50', additionalGroups: ['nogroup'] }),
    '1234\n50 65534\n/',
  );
  assert.equal(await see('pwd; ls -ld . | cut -c1-10', { cwd: '/made/for/me' }), '/made/for/me\ndrwxr-xr-x');
  assert.equal(await see('echo $A $PATH $HOSTNAME', { env: ['A=b', 'PATH=/bin'], hostname: 'ship' }), 'b /bin ship');
  assert.equal(await see('env | grep -c GO', { env: ['PATH=/bin'] }).catch(() => '0'), '0');
  await assert.rejects(world.output('true', { user: 'sailor' }), /unable to find user sailor/);
  await assert.rejects(world.output('true', { cwd: '/bin/sh/x' }), /is not a directory/);
});

test('limits reach the kernel', async () => {
  assert.equal(await see('ulimit -n; ulimit -Hn', { ulimits: [{ name: 'nofile', soft: 64, hard: 128 }] }), '64\n128');
  assert.match(await see('df -k /dev/shm | tail -1', { shmSizeBytes: 1024 * 1024 }), /\s1024\s/);
  assert.equal(await see('cat /proc/self/oom_score_adj', { oomScoreAdj: 321 }), '321');
  const forks = 'for i in $(seq 40); do sleep 1 & done; wait';
  const { stderr } = await world.output(forks, { limits: { pidsLimit: 20 } });
  assert.match(stderr, /can't fork/);
  assert.equal(await see('cat /proc/sys/kernel/msgmax', { sysctls: { 'kernel.msgmax': '1000' } }), '1000');
  await assert.rejects(world.create('true', { ulimits: [{ name: 'nofile', soft: 2, hard: 1 }] }), /soft limit/);
});

test('a read-only root is that, and what is mounted on it is not', async () => {
  const mounts = [mount('tmpfs', '', '/scratch', { tmpfsSizeBytes: 1024 * 1024, tmpfsMode: 0o1777 })];
  const seen = await see('touch /x 2>&1; echo ok > /scratch/x && cat /scratch/x; df -k /scratch | tail -1', {
    readOnlyRoot: true,
    mounts,
  });
  assert.match(seen, /Read-only file system\nok\ntmpfs\s+1024\s/);
});

test('a new volume gets what the image has there, an old one keeps what it has', async () => {
  const mounts = [mount('volume', 'stock', '/etc')];
  assert.match(await see('cat /etc/passwd; echo mine > /etc/own', { mounts }), /^root:x:0:0:/);
  assert.equal(await see('cat /stock/own', { mounts: [mount('volume', 'stock', '/stock')] }), 'mine');
  const noCopy = [mount('volume', 'bare', '/bin/../data', { noCopy: true })];
  assert.equal(await see('ls -A /data | wc -l', { mounts: noCopy }), '0');
  const readOnly = await world.output('touch /data/x', {
    mounts: [mount('volume', 'bare', '/data', { readOnly: true })],
  });
  assert.match(readOnly.stderr, /Read-only file system/);
  for (const name of ['stock', 'bare']) await world.engine.volumes.remove(name, false);
});

test('binds show the host, inside of each other, and read-only with all that is below', async () => {
  const folder = mkdtempSync('/tmp/sw-bind-');
  try {
    mkdirSync(join(folder, 'outer/inner'), { recursive: true });
    mkdirSync(join(folder, 'other'));
    writeFileSync(join(folder, 'outer/file'), 'outer');
    writeFileSync(join(folder, 'other/file'), 'other');
    mountTmpfs(join(folder, 'outer/inner'));
    const binds = [
      mount('bind', join(folder, 'other'), '/a/b/inner'),
      mount('bind', join(folder, 'outer'), '/a/b', { readOnly: true }),
      mount('bind', join(folder, 'made/here'), '/made', { createSource: true }),
    ];
    const seen = await see('cat /a/b/file /a/b/inner/file; touch /a/b/x 2>&1; touch /a/b/inner/y /made/z', {
      mounts: binds,
    });
    assert.match(seen, /^outerother/);
    assert.match(seen, /Read-only file system/);
    assert.equal(readFileSync(join(folder, 'other/y'), 'utf8') + readFileSync(join(folder, 'made/here/z'), 'utf8'), '');
    const recursive = await world.output('touch /a/inner/x', {
      mounts: [mount('bind', join(folder, 'outer'), '/a', { readOnly: true })],
    });
    assert.match(recursive.stderr, /Read-only file system/);
    await assert.rejects(world.create('true', { mounts: [mount('bind', join(folder, 'none'), '/x')] }), {
      reason: 'InvalidArgument',
      message: /bind source path does not exist/,
    });
  } finally {
    unmountTree(folder);
    rmSync(folder, { recursive: true, force: true });
  }
});

test('namespaces are shared with the host and with another container', async () => {
  assert.equal(await see('readlink /proc/self/ns/pid', { pidMode: 'host' }), readlinkOf('pid'));
  assert.equal(await see('readlink /proc/self/ns/uts', { utsMode: 'host' }), readlinkOf('uts'));
  const network = { ...world.spec('').network, mode: 'host' as const };
  assert.equal(await see('readlink /proc/self/ns/net', { network }), readlinkOf('net'));
  const { id } = await world.run('echo here > /dev/shm/note; exec sleep 3600', { ipcMode: 'shareable' });
  const shared = { pidMode: `container:${id}`, ipcMode: `container:${id}` };
  const script = 'until cat /dev/shm/note 2>/dev/null; do sleep 0.05; done; ps | grep -c "[s]leep 3600"';
  assert.equal(await see(script, shared), 'here\n1');
  const joined = { ...world.spec('').network, mode: 'container' as const, shareWith: id };
  const own = await see('readlink /proc/self/ns/net', { network: joined });
  assert.equal(own, (await world.exec(id, 'readlink /proc/self/ns/net')).stdout.trim());
  await assert.rejects(
    world.output('true', { ipcMode: `container:${(await world.create('true', {}, 'shy')).id}` }),
    /non running/,
  );
  await world.remove(id, 'shy');
  await assert.rejects(world.output('true', { pidMode: `container:${id}` }), /No such container/);
});

test('a process of the host PID namespace leaves nothing that runs', async () => {
  const { id } = await world.run('sleep 3600 & sleep 3600 & echo $!; exit 0', { pidMode: 'host' });
  await world.containers.wait(id, 'not-running', never);
  const records = await Array.fromAsync(
    world.containers.logs(id, { stdout: true, stderr: false, follow: false }, never),
  );
  const pid = Number(Buffer.from(records.flat()[0]?.bytes ?? []).toString());
  assert.ok(pid > 1);
  await eventually('it is gone', () => {
    const identity = identify(pid);
    return identity === undefined || !isAlive(identity);
  });
  await world.remove(id);
});

function readlinkOf(namespace: string): string {
  return readlinkSync(`/proc/self/ns/${namespace}`);
}
