import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { eventually } from '../../kit/eventually.ts';
import type { Instance } from '../../kit/instance.ts';
import { openInstance } from '../../kit/open-instance.ts';
import { proves, refuses } from '../../kit/proves.ts';

let instance: Instance;

before(async () => {
  instance = await openInstance();
});
after(async () => instance?.destroy());

async function run(...args: readonly string[]): Promise<string> {
  return await instance.dockerOutput('run', '--rm', ...args);
}

test('the exit code of the command is that of docker run', proves('docker run'), async () => {
  const codes: readonly (readonly [number, readonly string[]])[] = [
    [0, ['busybox', 'true']],
    [7, ['busybox', 'sh', '-c', 'exit 7']],
    [127, ['busybox', 'no-such-command']],
    [126, ['busybox', '/etc']],
    [125, ['--no-such-flag', 'busybox']],
    [125, ['--runtime', 'kata', 'busybox', 'true']],
  ];
  for (const [code, args] of codes) {
    assert.equal((await instance.docker('run', '--rm', ...args)).code, code, args.join(' '));
  }
});

test('what the command line says is what the process sees', async () => {
  assert.equal(await run('-e', 'A=b', 'busybox', 'sh', '-c', 'echo $A'), 'b');
  assert.equal(await run('-w', '/tmp', 'busybox', 'pwd'), '/tmp');
  assert.equal(await run('-u', '65534:50', 'busybox', 'id', '-u'), '65534');
  assert.equal(await run('--hostname', 'ship', 'busybox', 'hostname'), 'ship');
  assert.equal(await run('--entrypoint', 'echo', 'busybox', 'own', 'entry'), 'own entry');
  assert.equal(await run('--init', 'busybox', 'sh', '-c', 'test $$ -ne 1 && echo child').catch(() => 'child'), 'child');
  assert.equal(await run('--network', 'none', 'busybox', 'sh', '-c', 'ls /sys/class/net'), 'lo');
  const hosts = await run('--add-host', 'harbour:10.1.2.3', 'busybox', 'grep', 'harbour', '/etc/hosts');
  assert.match(hosts, /^10\.1\.2\.3\s+harbour$/);
  assert.match(await run('--dns', '9.9.9.9', '--network', 'host', 'busybox', 'cat', '/etc/resolv.conf'), /9\.9\.9\.9/);
  assert.equal(await run('--sysctl', 'net.core.somaxconn=99', 'busybox', 'cat', '/proc/sys/net/core/somaxconn'), '99');
  assert.equal(await run('--ulimit', 'nofile=64:64', 'busybox', 'sh', '-c', 'ulimit -n'), '64');
  assert.match(await run('--shm-size', '1m', 'busybox', 'df', '/dev/shm'), /\s1024\s/);
  assert.match(await run('--tmpfs', '/scratch:size=1m', 'busybox', 'df', '/scratch'), /\s1024\s/);
  assert.match(await run('--cap-drop', 'ALL', 'busybox', 'grep', 'CapEff', '/proc/self/status'), /0000000000000000/);
  const readOnly = await instance.docker('run', '--rm', '--read-only', 'busybox', 'touch', '/x');
  assert.match(readOnly.stderr, /Read-only file system/);
});

test('GPUs are refused by name', refuses('no driver for GPUs', 'docker {run,create} --gpus'), async () => {
  for (const command of ['run', 'create']) {
    const { code, stderr } = await instance.docker(command, '--gpus', 'all', 'busybox', 'true');
    assert.notEqual(code, 0);
    assert.match(stderr, /DeviceRequests.*no driver for GPUs/);
  }
});

test('limits reach the kernel, and update changes them live', async () => {
  const id = await instance.dockerOutput(
    'run',
    '-d',
    '--memory',
    '32m',
    '--pids-limit',
    '50',
    'busybox',
    'sleep',
    '3600',
  );
  const limits = '{{.HostConfig.Memory}} {{.HostConfig.MemorySwap}} {{.HostConfig.PidsLimit}}';
  assert.equal(await instance.dockerOutput('inspect', '-f', limits, id), '33554432 67108864 50');
  const stats = await instance.dockerOutput('stats', '--no-stream', '--format', '{{.MemUsage}} {{.PIDs}}', id);
  assert.match(stats, / \/ 32MiB 1$/);
  await instance.dockerOutput('update', '--memory', '48m', '--memory-swap', '96m', id);
  const after = await instance.dockerOutput('stats', '--no-stream', '--format', '{{.MemUsage}}', id);
  assert.match(after, / \/ 48MiB$/);
  await instance.dockerOutput('rm', '-f', id);
});

test(
  'a life: create, start, pause, stop, restart, rename, remove',
  proves(
    'docker {create,start,pause,unpause,stop,restart,rename,rm,kill,wait,inspect}',
    'docker create --{name,stop-timeout}',
    'docker {restart,stop} --timeout',
    'docker inspect --format',
  ),
  async () => {
    const state = async (name: string): Promise<string> =>
      instance.dockerOutput('inspect', '-f', '{{.State.Status}}', name);
    await instance.dockerOutput('create', '--name', 'life', '--stop-timeout', '1', 'busybox', 'sleep', '3600');
    assert.equal(await state('life'), 'created');
    await instance.dockerOutput('start', 'life');
    assert.equal(await state('life'), 'running');
    await instance.dockerOutput('start', 'life');
    await instance.dockerOutput('pause', 'life');
    assert.equal(await state('life'), 'paused');
    await instance.dockerOutput('unpause', 'life');
    await instance.dockerOutput('restart', '-t', '0', 'life');
    assert.equal(await state('life'), 'running');
    await instance.dockerOutput('stop', '-t', '0', 'life');
    assert.equal(await state('life'), 'exited');
    assert.equal(await instance.dockerOutput('inspect', '-f', '{{.State.ExitCode}}', 'life'), '137');
    await instance.dockerOutput('rename', 'life', 'afterlife');
    const taken = await instance.docker('create', '--name', 'afterlife', 'busybox');
    assert.match(taken.stderr, /Conflict.*"\/afterlife" is already in use/);
    await instance.dockerOutput('start', 'afterlife');
    const refused = await instance.docker('rm', 'afterlife');
    assert.match(refused.stderr, /running/);
    await instance.dockerOutput('kill', 'afterlife');
    assert.equal(await instance.dockerOutput('wait', 'afterlife'), '137');
    await instance.dockerOutput('rm', 'afterlife');
    assert.match((await instance.docker('inspect', 'afterlife')).stderr, /No such object: afterlife/);
  },
);

test('a container that fails is started again, so often as the policy says', async () => {
  const id = await instance.dockerOutput('run', '-d', '--restart', 'on-failure:2', 'busybox', 'false');
  await eventually('it was given up', async () => {
    const shown = await instance.dockerOutput('inspect', '-f', '{{.State.Status}} {{.RestartCount}}', id);
    return shown === 'exited 2';
  });
  await instance.dockerOutput('rm', id);
});

test('ps shows what there is, filtered', async () => {
  const up = await instance.dockerOutput('run', '-d', '--name', 'up', '--label', 'role=a', 'busybox', 'sleep', '3600');
  await instance
    .dockerOutput('run', '--name', 'down', '--label', 'role=b', 'busybox', 'sh', '-c', 'exit 3')
    .catch(() => '');
  const names = async (...args: readonly string[]): Promise<string> =>
    (await instance.dockerOutput('ps', '--format', '{{.Names}}', ...args)).split('\n').sort().join(' ');
  assert.equal(await names(), 'up');
  assert.equal(await names('-a'), 'down up');
  assert.equal(await names('-a', '--filter', 'label=role=b'), 'down');
  assert.equal(await names('-a', '--filter', 'exited=3'), 'down');
  assert.equal(await names('--filter', 'ancestor=busybox'), 'up');
  assert.equal(await names('-a', '--filter', 'name=^/up$'), 'up');
  assert.equal(await names('-a', '--filter', 'since=up'), 'down');
  const row = '{{.ID}} {{.Image}} {{.Command}} {{.State}}';
  assert.equal(await instance.dockerOutput('ps', '--format', row), `${up.slice(0, 12)} busybox "sleep 3600" running`);
  assert.match(
    await instance.dockerOutput('ps', '-a', '--filter', 'name=down', '--format', '{{.Status}}'),
    /^Exited \(3\) /,
  );
  assert.match(await instance.dockerOutput('top', 'up', '-o', 'pid,args'), /sleep 3600/);
  const pruned = await instance.dockerOutput('container', 'prune', '-f');
  assert.match(pruned, /Deleted Containers:/);
  assert.equal(await names('-a'), 'up');
  await instance.dockerOutput('rm', '-f', 'up');
});

test('a health check shows, and passes', async () => {
  const args = ['--health-cmd', 'test -e /ready', '--health-interval', '200ms', '--health-retries', '2'];
  await instance.dockerOutput('run', '-d', '--name', 'sick', ...args, 'busybox', 'sleep', '3600');
  const health = async (): Promise<string> =>
    instance.dockerOutput('inspect', '-f', '{{.State.Health.Status}}', 'sick');
  await eventually('it is unhealthy', async () => (await health()) === 'unhealthy');
  await instance.dockerOutput('exec', 'sick', 'touch', '/ready');
  await eventually('it is healthy', async () => (await health()) === 'healthy');
  assert.match(await instance.dockerOutput('ps', '--filter', 'health=healthy'), /\(healthy\)/);
  await instance.dockerOutput('rm', '-f', 'sick');
});
