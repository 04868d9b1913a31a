import assert from 'node:assert/strict';
import { closeSync, existsSync, mkdirSync, openSync, rmSync, symlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';

import { hasCode } from '#sys/errno.ts';
import { mountTmpfs, unmountTree } from '#sys/mounts.ts';

import { Instance } from '../../kit/instance.ts';
import { makeRoot } from '../../kit/temp-root.ts';

const diskOptions = 'size=96m';

/** A daemon whose data lie on a small disk; its run folder lies elsewhere, as /run does. */
async function startOnSmallDisk(t: TestContext): Promise<{ instance: Instance; disk: string }> {
  const [disk, run] = [makeRoot(), makeRoot()];
  mountTmpfs(disk, diskOptions);
  mkdirSync(join(disk, 'r'));
  symlinkSync(run, join(disk, 'r/run'));
  const instance = new Instance(join(disk, 'r'), {});
  t.after(async () => {
    try {
      await instance.destroy();
    } finally {
      unmountTree(disk);
      for (const folder of [disk, run]) rmSync(folder, { recursive: true });
    }
  });
  await instance.start();
  await instance.loadBusybox();
  return { instance, disk };
}

/** Writes until not one byte more fits; the result gives the room back. */
function fill(disk: string): Disposable {
  const path = join(disk, 'fill');
  const fd = openSync(path, 'w');
  for (let chunk = Buffer.alloc(1 << 20); chunk.length > 0;) {
    try {
      writeSync(fd, chunk);
    } catch (error) {
      if (!hasCode(error, 'ENOSPC')) throw error;
      chunk = chunk.subarray(0, chunk.length >> 1);
    }
  }
  closeSync(fd);
  return { [Symbol.dispose]: () => rmSync(path) };
}

const listings = [
  ['ps', '-a', '--format', '{{.Names}} {{.State}}'],
  ['images', '-a', '--format', '{{.ID}} {{.Repository}}'],
  ['network', 'ls', '--format', '{{.Name}}'],
  ['volume', 'ls', '-q'],
] as const;

const refused = [
  ['run', '-d', 'busybox', 'true'],
  ['network', 'create', '--subnet', '10.219.9.0/24', 'one-more'],
  ['volume', 'create', 'one-more'],
  ['commit', 'keeper', 'one-more'],
  ['build', '-q', '-'],
] as const;

/** What gives room must not need any. */
const allowed = [
  ['stop', '-t', '0', 'stopped', 'stays-stopped'],
  ['rm', '-f', 'forced'],
  ['rm', '-v', 'ended'],
  ['network', 'rm', 'unused'],
  ['volume', 'rm', 'unused'],
  ['rmi', 'unused'],
] as const;

test('a full disk refuses what needs room, leaves nothing half-made, and is over when there is room', async (t) => {
  const { instance, disk } = await startOnSmallDisk(t);
  await instance.dockerOutput('run', '-d', '--name', 'keeper', 'busybox', 'sleep', '1000000');
  for (const name of ['stopped', 'forced'])
    await instance.dockerOutput('run', '-d', '--name', name, 'busybox', 'sleep', '1000000');
  for (const [name, policy] of [
    ['stays-stopped', 'unless-stopped'],
    ['comes-back', 'unless-stopped'],
  ] as const)
    await instance.dockerOutput('run', '-d', '--name', name, '--restart', policy, 'busybox', 'sleep', '1000000');
  await instance.dockerOutput('run', '--name', 'ended', '-v', '/data', 'busybox', 'true');
  await instance.dockerOutput('run', '-d', '--name', 'ending', 'busybox', 'sleep', '1000000');
  await instance.dockerOutput('network', 'create', '--subnet', '10.219.8.0/24', 'unused');
  await instance.dockerOutput('volume', 'create', 'unused');
  await instance.dockerWith({ stdin: 'FROM busybox\nLABEL a=b\n' }, 'build', '-q', '-t', 'unused', '-');
  const listed = async (): Promise<readonly string[]> =>
    Promise.all(listings.map(async (args) => instance.dockerOutput(...args)));
  const before = await listed();
  {
    using _ = fill(disk);
    for (const args of refused) {
      const { code, stderr } = await instance.dockerWith({ stdin: 'FROM busybox\nRUN echo x > /x\n' }, ...args);
      assert.notEqual(code, 0, args.join(' '));
      assert.match(stderr, /no space left on device/i, args.join(' '));
    }
    assert.deepEqual(await listed(), before);
    const code = instance.dockerOutput('wait', 'ending');
    process.kill(Number(await instance.dockerOutput('inspect', '-f', '{{.State.Pid}}', 'ending')), 'SIGKILL');
    assert.equal(await code, '137');
    for (const args of allowed) await instance.dockerOutput(...args);
    const after = await listed();
    await instance.kill9();
    // Nor does it depend on the run folder, which a reboot empties.
    assert.ok(!existsSync(join(instance.paths.run, 'engine/unwritten')), 'all is on the full disk');
    await instance.start();
    assert.deepEqual(await listed(), after);
  }
  assert.equal(await instance.dockerOutput('run', '--rm', 'busybox', 'echo', 'there is room'), 'there is room');
  assert.equal(await instance.dockerOutput('exec', 'keeper', 'echo', 'still here'), 'still here');
});
