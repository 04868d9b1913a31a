import { after, before } from 'node:test';

import type { Instance } from '../../kit/instance.ts';
import { openInstance } from '../../kit/open-instance.ts';
import { testCommands } from './command-case.ts';

let instance: Instance;

before(async () => {
  instance = await openInstance();
  const run = async (...args: readonly string[]): Promise<string> => instance.dockerOutput('run', ...args);
  await run('-d', '--init', '--name', 'web', '-p', '127.0.0.1::80', '--label', 'role=web', 'busybox', 'sleep', '3600');
  await run(
    '--name',
    'done',
    '--label',
    'role=job',
    'busybox',
    'sh',
    '-c',
    'echo one; echo two; touch /made; ln -sf made /link',
  );
  await run('-d', '--init', '--name', 'life', 'busybox', 'sleep', '3600');
});
after(async () => instance?.destroy());

const inspect = (template: string, name: string): readonly string[] => ['inspect', '--format', template, name];
const noCheckpoints = 'is only supported on a Docker daemon with experimental features enabled';

testCommands(
  () => instance,
  [
    {
      proves: 'docker update',
      run: [['update', '--memory', '64m', '--memory-swap', '128m', 'web'], inspect('{{.HostConfig.Memory}}', 'web')],
      shows: /^67108864$/m,
    },
    {
      proves: 'docker update --memory',
      run: [
        ['update', '--memory', '32m', 'web'],
        ['stats', '--no-stream', '--format', '{{.MemUsage}}', 'web'],
      ],
      shows: /\/ 32MiB/,
    },
    {
      proves: 'docker update --memory-swap',
      run: [['update', '--memory-swap', '96m', 'web'], inspect('{{.HostConfig.MemorySwap}}', 'web')],
      shows: /^100663296$/m,
    },
    {
      proves: 'docker update --memory-reservation',
      run: [
        ['update', '--memory-reservation', '16m', 'web'],
        [
          'exec',
          'web',
          'sh',
          '-c',
          'cat /sys/fs/cgroup/memory/memory.soft_limit_in_bytes /sys/fs/cgroup/memory.low 2>/dev/null; true',
        ],
      ],
      shows: /^16777216$/m,
    },
    {
      proves: 'docker update --cpus',
      run: [
        ['update', '--cpus', '0.5', 'web'],
        ['exec', 'web', 'sh', '-c', 'cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us /sys/fs/cgroup/cpu.max 2>/dev/null; true'],
      ],
      shows: /^50000\b/m,
    },
    {
      proves: 'docker update --cpu-period',
      run: [
        ['update', '--cpu-period', '50000', '--cpu-quota', '25000', 'life'],
        inspect('{{.HostConfig.CpuPeriod}}', 'life'),
      ],
      shows: /^50000$/m,
    },
    {
      proves: 'docker update --cpu-quota',
      run: [['update', '--cpu-quota', '20000', 'life'], inspect('{{.HostConfig.CpuQuota}}', 'life')],
      shows: /^20000$/m,
    },
    {
      proves: 'docker update --cpu-shares',
      run: [
        ['update', '--cpu-shares', '512', 'web'],
        ['exec', 'web', 'sh', '-c', 'cat /sys/fs/cgroup/cpu/cpu.shares /sys/fs/cgroup/cpu.weight 2>/dev/null; true'],
      ],
      shows: /^(512|20)$/m,
    },
    {
      proves: 'docker update --cpuset-cpus',
      run: [
        ['update', '--cpuset-cpus', '0', 'web'],
        ['exec', 'web', 'grep', 'Cpus_allowed_list', '/proc/1/status'],
      ],
      shows: /:\s+0$/m,
    },
    {
      proves: 'docker update --cpuset-mems',
      run: [
        ['update', '--cpuset-mems', '0', 'web'],
        ['exec', 'web', 'grep', 'Mems_allowed_list', '/proc/1/status'],
      ],
      shows: /:\s+0$/m,
    },
    {
      proves: 'docker update --blkio-weight',
      run: [['update', '--blkio-weight', '300', 'web'], inspect('{{.HostConfig.BlkioWeight}}', 'web')],
      shows: /^300$/m,
    },
    {
      proves: 'docker update --pids-limit',
      run: [
        ['update', '--pids-limit', '50', 'web'],
        ['update', '--pids-limit', '-1', 'web'],
        ['exec', 'web', 'sh', '-c', 'cat /sys/fs/cgroup/pids/pids.max /sys/fs/cgroup/pids.max 2>/dev/null; true'],
      ],
      shows: /^max$/m,
    },
    {
      proves: 'docker update --restart',
      run: [['update', '--restart', 'always', 'life'], inspect('{{.HostConfig.RestartPolicy.Name}}', 'life')],
      shows: /^always$/m,
    },
    {
      refuses: 'docker update --cpu-rt-period',
      run: 'update --cpu-rt-period 10000 web',
      sentence: 'real-time scheduling is not given to containers',
    },
    {
      refuses: 'docker update --cpu-rt-runtime',
      run: 'update --cpu-rt-runtime 1000 web',
      sentence: 'real-time scheduling is not given to containers',
    },

    {
      proves: 'docker restart --signal',
      run: [['restart', '--signal', 'SIGINT', 'life'], inspect('{{.State.Status}}', 'life')],
      shows: /^running$/m,
    },
    {
      proves: 'docker kill --signal',
      run: [['kill', '--signal', 'SIGWINCH', 'life'], inspect('{{.State.Status}}', 'life')],
      shows: /^running$/m,
    },
    {
      proves: 'docker stop --signal',
      run: [['stop', '--signal', 'SIGKILL', 'life'], inspect('{{.State.ExitCode}}', 'life')],
      shows: /^137$/m,
    },
    { proves: 'docker start --attach', run: 'start --attach done', shows: /^one\ntwo\n$/ },
    {
      proves: 'docker start --interactive',
      run: [
        ['create', '-i', '--name', 'reader', 'busybox', 'cat'],
        ['start', '--attach', '--interactive', 'reader'],
      ],
      stdin: 'through',
      shows: /^through$/m,
    },
    { refuses: 'docker start --checkpoint', run: 'start --checkpoint one done', sentence: noCheckpoints },
    {
      refuses: 'docker start --checkpoint-dir',
      run: 'start --checkpoint one --checkpoint-dir /tmp done',
      sentence: noCheckpoints,
    },
    {
      refuses: 'docker checkpoint *',
      run: [
        ['checkpoint', 'create', 'web', 'one'],
        ['checkpoint', 'ls', 'web'],
        ['checkpoint', 'rm', 'web', 'one'],
      ],
      sentence: noCheckpoints,
    },

    {
      proves: 'docker {run,create} --name',
      run: [
        ['create', '--name', 'named', 'busybox'],
        ['run', '--name', 'named-too', 'busybox'],
        ['ps', '-a', '--format', '{{.Names}}'],
      ],
      shows: /^named-too\nnamed$/m,
    },
    {
      proves: 'docker run --rm',
      run: [
        ['run', '--rm', '--name', 'brief', 'busybox', 'true'],
        ['ps', '-aq', '--filter', 'name=brief'],
      ],
      shows: /^$/,
    },
    {
      proves: 'docker create --rm',
      run: [
        ['create', '--rm', '--name', 'brief', 'busybox', 'true'],
        ['start', '--attach', 'brief'],
        ['wait', 'brief'],
      ],
      code: 1,
      shows: /No such container: brief/,
    },
    { proves: 'docker run --detach', run: [['run', '--detach', '--rm', 'busybox', 'true']], shows: /^[0-9a-f]{64}$/m },
    {
      proves: 'docker {run,create} --help',
      run: [
        ['create', '--help'],
        ['run', '--help'],
      ],
      shows: /Usage: +docker run/,
    },
    {
      proves: 'docker rm --force',
      run: [
        ['rm', '--force', 'life'],
        ['ps', '-aq', '--filter', 'name=life'],
      ],
      shows: /^$/,
    },
    {
      proves: 'docker rm --volumes',
      run: [
        ['run', '--name', 'holder', '-v', '/data', 'busybox'],
        ['rm', '--volumes', 'holder'],
        ['volume', 'ls', '-q', '--filter', 'dangling=true'],
      ],
      shows: /^$/,
    },
    {
      proves: 'docker container prune',
      run: 'container prune --force --filter label=role=none',
      shows: /Total reclaimed space: 0B/,
    },
    {
      proves: 'docker container prune --filter',
      run: [
        ['container', 'prune', '--force', '--filter', 'label=role=job'],
        ['ps', '-aq', '--filter', 'name=done'],
      ],
      shows: /^$/,
    },
    {
      proves: 'docker container prune --force',
      run: [
        ['container', 'prune', '--force'],
        ['ps', '-a', '--format', '{{.Names}}'],
      ],
      shows: /^web\n$/,
    },
  ],
);
