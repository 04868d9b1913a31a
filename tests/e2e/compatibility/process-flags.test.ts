import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before } from 'node:test';

import type { Instance } from '../../kit/instance.ts';
import { clientMajor } from '../../kit/needs-client.ts';
import { openInstance } from '../../kit/open-instance.ts';
import { testFlags } from './flag-case.ts';

let instance: Instance;
const folder = `/tmp/slipway-flags-${String(process.pid)}`;
const environment = join(folder, 'environment');
const profile = join(folder, 'seccomp.json');

/** A block device of this machine that limits can name; better none that is in use. */
const disk =
  readdirSync('/dev')
    .filter((name) => /^(loop|vd|sd|nvme\dn)[a-z0-9]$/.test(name))
    .sort()[0] ?? '';
const schedulerFile = `/sys/class/block/${disk}/queue/scheduler`;
let scheduler = '';
/** Weights of single devices are known to this scheduler alone. */
const needsBfq = (): string | undefined =>
  readFileSync(schedulerFile, 'utf8').includes('[bfq]') ? undefined : 'this kernel has no scheduler bfq';

/** docker 26 reads these flags and sends empty lists. */
const whenDropped = (): string | undefined =>
  clientMajor() === 26 ? "docker's client 26 does not send limits of single devices" : undefined;

function setScheduler(name: string): void {
  try {
    writeFileSync(schedulerFile, name);
  } catch {
    // The kernel has not got it: the test that needs it is skipped.
  }
}

const diskNumbers = (): string => readFileSync(`/sys/class/block/${disk}/dev`, 'utf8').trim();
const cat = (...files: readonly string[]): string =>
  `cat ${files.map((file) => `/sys/fs/cgroup/${file}`).join(' ')} 2>/dev/null`;
before(async () => {
  mkdirSync(folder);
  writeFileSync(environment, '# a comment\nFROM_FILE=yes\n');
  const rules = [{ names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_ERRNO' }];
  writeFileSync(profile, JSON.stringify({ defaultAction: 'SCMP_ACT_ALLOW', syscalls: rules }));
  scheduler = /\[(.*)\]/.exec(readFileSync(schedulerFile, 'utf8'))?.[1] ?? '';
  setScheduler('bfq');
  instance = await openInstance();
});
after(async () => {
  rmSync(folder, { recursive: true, force: true });
  setScheduler(scheduler);
  await instance?.destroy();
});

testFlags('what the process is', () => instance, [
  { proves: 'docker {run,create} --entrypoint', args: ['--entrypoint', 'echo'], does: 'own', shows: /^sh -c own/ },
  { proves: 'docker {run,create} --env', args: ['--env', 'A=b'], does: 'echo $A', shows: /^b$/m },
  {
    proves: 'docker {run,create} --env-file',
    args: ['--env-file', environment],
    does: 'echo $FROM_FILE',
    shows: /^yes$/m,
  },
  {
    proves: 'docker {run,create} --workdir',
    args: ['--workdir', '/made/for/it'],
    does: 'pwd',
    shows: /^\/made\/for\/it$/m,
  },
  { proves: 'docker {run,create} --user', args: ['--user', '65534:50'], does: 'id', shows: /uid=65534.* gid=50/ },
  { proves: 'docker {run,create} --group-add', args: ['--group-add', '1234'], does: 'id -G', shows: /\b1234\b/ },
  { proves: 'docker {run,create} --hostname', args: ['--hostname', 'ship'], does: 'hostname', shows: /^ship$/m },
  {
    proves: 'docker {run,create} --domainname',
    args: ['--domainname', 'sea.example'],
    does: 'cat /proc/sys/kernel/domainname',
    shows: /^sea\.example$/m,
  },
  { proves: 'docker {run,create} --init', args: ['--init'], does: 'cat /proc/1/comm', shows: /docker-init|tini/ },
  {
    proves: 'docker {run,create} --interactive',
    args: ['--interactive'],
    does: 'cat',
    stdin: 'through',
    shows: /^through$/m,
  },
  { proves: 'docker {run,create} --tty', args: ['--tty'], does: 'test -t 1 && echo terminal', shows: /^terminal/m },
  {
    proves: 'docker {run,create} --attach',
    args: ['--attach', 'stderr'],
    inspect: '{{.Config.AttachStdin}} {{.Config.AttachStdout}} {{.Config.AttachStderr}}',
    does: 'echo out; echo err >&2',
    shows: /^false false true$/,
  },
  {
    proves: 'docker {run,create} --oom-score-adj',
    args: ['--oom-score-adj', '500'],
    does: 'cat /proc/self/oom_score_adj',
    shows: /^500$/m,
  },
  {
    proves: 'docker {run,create} --ulimit',
    args: ['--ulimit', 'nofile=64:128'],
    does: 'ulimit -n; ulimit -Hn',
    shows: /^64\n128$/m,
  },
  {
    proves: 'docker {run,create} --sysctl',
    args: ['--sysctl', 'net.core.somaxconn=99'],
    does: 'cat /proc/sys/net/core/somaxconn',
    shows: /^99$/m,
  },
  {
    proves: 'docker {run,create} --stop-signal',
    args: ['--stop-signal', 'SIGQUIT'],
    inspect: '{{.Config.StopSignal}}',
    shows: /^SIGQUIT$/,
  },
  {
    proves: 'docker {run,create} --stop-timeout',
    args: ['--stop-timeout', '3'],
    inspect: '{{.Config.StopTimeout}}',
    shows: /^3$/,
  },
]);

testFlags('what the process may', () => instance, [
  {
    proves: 'docker {run,create} --cap-add',
    args: ['--cap-add', 'NET_ADMIN'],
    does: 'grep CapEff /proc/self/status',
    shows: /00000000a80435fb/,
  },
  {
    proves: 'docker {run,create} --cap-drop',
    args: ['--cap-drop', 'ALL'],
    does: 'grep CapEff /proc/self/status',
    shows: /0000000000000000/,
  },
  {
    proves: 'docker {run,create} --privileged',
    args: ['--privileged'],
    does: 'test -w /sys/kernel && test -e /dev/kmsg && grep CapEff /proc/self/status',
    shows: /CapEff:\s+0000[0-9a-f]*[1-9a-f]/,
  },
  {
    proves: 'docker {run,create} --read-only',
    args: ['--read-only'],
    does: 'touch /x 2>&1',
    shows: /Read-only file system/,
  },
  {
    proves: 'docker {run,create} --security-opt',
    args: ['--security-opt', `seccomp=${profile}`],
    does: 'mkdir /x 2>&1',
    shows: /Operation not permitted/,
  },
  {
    proves: 'docker run --security-opt',
    args: [
      '--security-opt',
      'no-new-privileges',
      '--security-opt',
      'label=disable',
      '--security-opt',
      'seccomp=unconfined',
    ],
    does: 'grep -E "NoNewPrivs|Seccomp:" /proc/self/status',
    shows: /NoNewPrivs:\s+1\nSeccomp:\s+0$/m,
  },
  {
    proves: 'docker create --security-opt',
    args: ['--security-opt', 'systempaths=unconfined', '--security-opt', 'writable-cgroups=true'],
    does: 'grep -c " /proc/sys " /proc/mounts; grep -c "/sys/fs/cgroup.* ro[, ]" /proc/mounts',
    shows: /^0\n[01]$/m,
  },
  {
    proves: 'docker {run,create} --device',
    args: ['--device', '/dev/loop-control:/dev/nothing:r', '--device', '/dev/net:/dev/nets'],
    does: 'ls -l /dev/nothing /dev/nets; echo x > /dev/nothing',
    shows: /crw[^\n]*10, 237[^\n]*\/dev\/nothing[^]*Operation not permitted/,
  },
  {
    proves: 'docker {run,create} --device-cgroup-rule',
    args: ['--device-cgroup-rule', 'c 10:237 rwm'],
    does: 'mknod /loop c 10 237; mknod /fuse c 10 229; (: < /loop) && echo allowed; (: < /fuse) || echo forbidden',
    shows: /allowed\n[^]*forbidden/,
  },
]);

testFlags('what it may use', () => instance, [
  {
    proves: 'docker {run,create} --memory',
    args: ['--memory', '32m'],
    does: cat('memory/memory.limit_in_bytes', 'memory.max'),
    shows: /^33554432$/m,
  },
  {
    proves: 'docker {run,create} --memory-reservation',
    args: ['--memory-reservation', '16m'],
    does: cat('memory/memory.soft_limit_in_bytes', 'memory.low'),
    shows: /^16777216$/m,
  },
  {
    proves: 'docker {run,create} --memory-swap',
    args: ['--memory', '32m', '--memory-swap', '48m'],
    inspect: '{{.HostConfig.MemorySwap}}',
    shows: /^50331648$/,
  },
  {
    proves: 'docker {run,create} --memory-swappiness',
    args: ['--memory-swappiness', '7'],
    does: cat('memory/memory.swappiness'),
    shows: /^7$|does not support memory swappiness/m,
  },
  {
    proves: 'docker {run,create} --oom-kill-disable',
    args: ['--memory', '32m', '--oom-kill-disable'],
    does: cat('memory/memory.oom_control'),
    shows: /^oom_kill_disable 1$|does not support OomKillDisable/m,
  },
  {
    proves: 'docker {run,create} --cpus',
    args: ['--cpus', '0.5'],
    does: cat('cpu/cpu.cfs_quota_us', 'cpu.max'),
    shows: /^50000\b/m,
  },
  {
    proves: 'docker {run,create} --cpu-period',
    args: ['--cpu-period', '50000'],
    does: cat('cpu/cpu.cfs_period_us', 'cpu.max'),
    shows: /\b50000$/m,
  },
  {
    proves: 'docker {run,create} --cpu-quota',
    args: ['--cpu-quota', '25000'],
    does: cat('cpu/cpu.cfs_quota_us', 'cpu.max'),
    shows: /^25000\b/m,
  },
  {
    proves: 'docker {run,create} --cpu-shares',
    args: ['--cpu-shares', '512'],
    does: cat('cpu/cpu.shares', 'cpu.weight'),
    shows: /^(512|20)$/m,
  },
  {
    proves: 'docker {run,create} --cpuset-cpus',
    args: ['--cpuset-cpus', '0'],
    does: 'grep Cpus_allowed_list /proc/self/status',
    shows: /:\s+0$/m,
  },
  {
    proves: 'docker {run,create} --cpuset-mems',
    args: ['--cpuset-mems', '0'],
    does: 'grep Mems_allowed_list /proc/self/status',
    shows: /:\s+0$/m,
  },
  {
    proves: 'docker {run,create} --pids-limit',
    args: ['--pids-limit', '50'],
    does: cat('pids/pids.max', 'pids.max'),
    shows: /^50$/m,
  },
  {
    proves: 'docker {run,create} --device-read-bps',
    skip: whenDropped,
    args: ['--device-read-bps', `/dev/${disk}:1mb`],
    does: cat('blkio/blkio.throttle.read_bps_device', 'io.max'),
    shows: new RegExp(`^${diskNumbers()} .*1048576`, 'm'),
  },
  {
    proves: 'docker {run,create} --device-write-bps',
    skip: whenDropped,
    args: ['--device-write-bps', `/dev/${disk}:2mb`],
    does: cat('blkio/blkio.throttle.write_bps_device', 'io.max'),
    shows: new RegExp(`^${diskNumbers()} .*2097152`, 'm'),
  },
  {
    proves: 'docker {run,create} --device-read-iops',
    skip: whenDropped,
    args: ['--device-read-iops', `/dev/${disk}:300`],
    does: cat('blkio/blkio.throttle.read_iops_device', 'io.max'),
    shows: new RegExp(`^${diskNumbers()} .*300`, 'm'),
  },
  {
    proves: 'docker {run,create} --device-write-iops',
    skip: whenDropped,
    args: ['--device-write-iops', `/dev/${disk}:400`],
    does: cat('blkio/blkio.throttle.write_iops_device', 'io.max'),
    shows: new RegExp(`^${diskNumbers()} .*400`, 'm'),
  },
  {
    proves: 'docker {run,create} --blkio-weight',
    args: ['--blkio-weight', '300'],
    does: cat('blkio/blkio*weight', 'io*weight'),
    shows: /\b(300|2\d\d\d)$/m,
  },
  {
    proves: 'docker {run,create} --blkio-weight-device',
    skip: needsBfq,
    args: ['--blkio-weight-device', `/dev/${disk}:200`],
    does: cat('blkio/blkio*weight_device', 'io*weight'),
    shows: new RegExp(`^${diskNumbers()} 200`, 'm'),
  },
  { proves: 'docker {run,create} --shm-size', args: ['--shm-size', '1m'], does: 'df /dev/shm', shows: /\s1024\s/ },
]);

testFlags('what is refused', () => instance, [
  {
    refuses: 'docker {run,create} --gpus',
    args: ['--gpus', 'all'],
    sentence: 'no driver for GPUs or other requested devices is there; give the device files by --device',
  },
  {
    refuses: 'docker {run,create} --cpu-rt-period',
    args: ['--cpu-rt-period', '10000'],
    sentence: 'real-time scheduling is not given to containers',
  },
  {
    refuses: 'docker {run,create} --cpu-rt-runtime',
    args: ['--cpu-rt-runtime', '1000'],
    sentence: 'real-time scheduling is not given to containers',
  },
  {
    inapplicable: 'docker {run,create} --kernel-memory',
    args: ['--kernel-memory', '50m'],
    skip: () => (clientMajor() < 23 ? "docker's client 20 sends it, and is refused" : undefined),
    because: 'newer clients leave it away, as kernels since 5.4 have no such limit',
    does: 'echo here',
    shows: /^here$/m,
  },
  {
    refuses: 'docker {run,create} --storage-opt',
    args: ['--storage-opt', 'size=1G'],
    sentence: 'a size for a root filesystem needs project quotas',
  },
  {
    inapplicable: 'docker {run,create} --cpu-count',
    args: ['--cpu-count', '1'],
    sentence: 'it means something on Windows only',
  },
  {
    inapplicable: 'docker {run,create} --cpu-percent',
    args: ['--cpu-percent', '1'],
    sentence: 'it means something on Windows only',
  },
  {
    inapplicable: 'docker {run,create} --io-maxbandwidth',
    args: ['--io-maxbandwidth', '1m'],
    sentence: 'it means something on Windows only',
  },
  {
    inapplicable: 'docker {run,create} --io-maxiops',
    args: ['--io-maxiops', '1'],
    sentence: 'it means something on Windows only',
  },
  {
    inapplicable: 'docker {run,create} --isolation',
    args: ['--isolation', 'hyperv'],
    sentence: 'it means something on Windows only',
  },
]);
