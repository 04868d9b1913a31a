import { mkdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { after, before } from 'node:test';

import { openCgroups } from '#sys/cgroups.ts';

import type { Instance } from '../../kit/instance.ts';
import { openInstance } from '../../kit/open-instance.ts';
import { testFlags } from './flag-case.ts';

let instance: Instance;
const folder = `/tmp/slipway-flags-${String(process.pid)}`;
const labels = join(folder, 'labels');
const userNamespace = readlinkSync('/proc/self/ns/user').replaceAll(/[[\]]/g, String.raw`\$&`);

before(async () => {
  mkdirSync(folder);
  writeFileSync(labels, 'from.file=yes\n');
  instance = await openInstance();
  const peer = ['--ipc', 'shareable', '-v', 'shared:/shared', '--tmpfs', '/memory', 'busybox', 'sleep', '3600'];
  await instance.dockerOutput('run', '-d', '--name', 'peer', '--init', ...peer);
  await instance.dockerOutput('exec', 'peer', 'sh', '-c', 'echo kept > /shared/file; echo shm > /dev/shm/file');
});
after(async () => {
  rmSync(folder, { recursive: true, force: true });
  await instance?.destroy();
  // Parents that a user names belong to the user, and stay.
  const cgroups = openCgroups();
  for (const command of ['run', 'create']) cgroups.remove(`/slipway-${command}-parent`);
});

testFlags('what it shares', () => instance, [
  {
    proves: 'docker {run,create} --cgroupns',
    args: ['--cgroupns', 'private'],
    does: 'cat /proc/self/cgroup',
    shows: /^\d+:[^:]*:\/$/m,
  },
  {
    proves: 'docker {run,create} --cgroup-parent',
    args: ['--cgroup-parent', '/slipway-COMMAND-parent'],
    does: 'cat /proc/self/cgroup',
    shows: /\/slipway-(run|create)-parent\//,
  },
  { proves: 'docker {run,create} --pid', args: ['--pid', 'container:peer'], does: 'ps', shows: /sleep 3600/ },
  {
    proves: 'docker {run,create} --ipc',
    args: ['--ipc', 'container:peer'],
    does: 'cat /dev/shm/file',
    shows: /^shm$/m,
  },
  {
    proves: 'docker {run,create} --uts',
    args: ['--uts', 'host'],
    does: 'hostname',
    shows: new RegExp(`^${hostname()}$`, 'm'),
  },
  {
    proves: 'docker {run,create} --userns',
    args: ['--userns', 'host'],
    does: 'readlink /proc/self/ns/user',
    shows: new RegExp(userNamespace),
  },
  { proves: 'docker {run,create} --network', args: ['--network', 'none'], does: 'ls /sys/class/net', shows: /^lo\n$/ },
  {
    proves: 'docker {run,create} --volume',
    args: ['--volume', 'shared:/v:ro'],
    does: 'cat /v/file; touch /v/x',
    shows: /^kept\n[^]*Read-only/,
  },
  {
    proves: 'docker {run,create} --volume-driver',
    args: ['--volume-driver', 'local', '-v', 'shared:/v'],
    does: 'cat /v/file',
    shows: /^kept$/m,
  },
  {
    proves: 'docker {run,create} --volumes-from',
    args: ['--volumes-from', 'peer:ro'],
    does: 'cat /shared/file; touch /shared/x',
    shows: /^kept\n[^]*Read-only/,
  },
  {
    proves: 'docker {run,create} --mount',
    args: ['--mount', `type=bind,source=${folder},target=/b,readonly`],
    does: 'cat /b/labels; touch /b/x',
    shows: /^from\.file=yes\n[^]*Read-only/,
  },
  { proves: 'docker {run,create} --tmpfs', args: ['--tmpfs', '/t:size=1m'], does: 'df /t', shows: /\s1024\s/ },
  {
    proves: 'docker {run,create} --use-api-socket',
    args: ['--use-api-socket'],
    does: 'ls -l /var/run/docker.sock',
    shows: /^srw/m,
  },
  {
    proves: 'docker {run,create} --add-host',
    args: ['--add-host', 'harbour:10.1.2.3'],
    does: 'cat /etc/hosts',
    shows: /^10\.1\.2\.3\s+harbour$/m,
  },
  {
    proves: 'docker {run,create} --dns',
    args: ['--dns', '9.9.9.9'],
    does: 'cat /etc/resolv.conf',
    shows: /^nameserver 9\.9\.9\.9$/m,
  },
  {
    proves: 'docker {run,create} --dns-option',
    args: ['--dns-option', 'ndots:7'],
    does: 'cat /etc/resolv.conf',
    shows: /^options .*ndots:7/m,
  },
  {
    proves: 'docker {run,create} --dns-search',
    args: ['--dns-search', 'sea.example'],
    does: 'cat /etc/resolv.conf',
    shows: /^search sea\.example$/m,
  },
]);

testFlags('what is noted of it', () => instance, [
  {
    proves: 'docker {run,create} --annotation',
    args: ['--annotation', 'org.example.key=value'],
    inspect: '{{json .HostConfig.Annotations}}',
    shows: /^{"org\.example\.key":"value"}$/,
  },
  {
    proves: 'docker {run,create} --label',
    args: ['--label', 'a=b'],
    inspect: '{{index .Config.Labels "a"}}',
    shows: /^b$/,
  },
  {
    proves: 'docker {run,create} --label-file',
    args: ['--label-file', labels],
    inspect: '{{index .Config.Labels "from.file"}}',
    shows: /^yes$/,
  },
  {
    proves: 'docker {run,create} --expose',
    args: ['--expose', '8080'],
    inspect: '{{json .Config.ExposedPorts}}',
    shows: /^{"8080\/tcp":{}}$/,
  },
  {
    proves: 'docker {run,create} --publish',
    args: ['--publish', '127.0.0.1::80'],
    inspect: '{{json .HostConfig.PortBindings}}',
    shows: /"80\/tcp":\[{"HostIp":"127\.0\.0\.1","HostPort":""}\]/,
  },
  {
    proves: 'docker {run,create} --publish-all',
    args: ['--publish-all'],
    inspect: '{{.HostConfig.PublishAllPorts}}',
    shows: /^true$/,
  },
  {
    proves: 'docker {run,create} --restart',
    args: ['--restart', 'on-failure:3'],
    inspect: '{{.HostConfig.RestartPolicy}}',
    shows: /^{on-failure 3}$/,
  },
  {
    proves: 'docker {run,create} --log-driver',
    args: ['--log-driver', 'local'],
    inspect: '{{.HostConfig.LogConfig.Type}}',
    shows: /^local$/,
  },
  {
    proves: 'docker {run,create} --log-opt',
    args: ['--log-opt', 'max-size=1m'],
    inspect: '{{json .HostConfig.LogConfig.Config}}',
    shows: /"max-size":"1m"/,
  },
  {
    proves: 'docker {run,create} --health-cmd',
    args: ['--health-cmd', 'test -e /x'],
    inspect: '{{json .Config.Healthcheck.Test}}',
    shows: /^\["CMD-SHELL","test -e \/x"\]$/,
  },
  {
    proves: 'docker {run,create} --health-interval',
    args: ['--health-cmd', 'x', '--health-interval', '7s'],
    inspect: '{{.Config.Healthcheck.Interval}}',
    shows: /^7s$/,
  },
  {
    proves: 'docker {run,create} --health-timeout',
    args: ['--health-cmd', 'x', '--health-timeout', '8s'],
    inspect: '{{.Config.Healthcheck.Timeout}}',
    shows: /^8s$/,
  },
  {
    proves: 'docker {run,create} --health-retries',
    args: ['--health-cmd', 'x', '--health-retries', '9'],
    inspect: '{{.Config.Healthcheck.Retries}}',
    shows: /^9$/,
  },
  {
    proves: 'docker {run,create} --health-start-period',
    args: ['--health-cmd', 'x', '--health-start-period', '6s'],
    inspect: '{{.Config.Healthcheck.StartPeriod}}',
    shows: /^6s$/,
  },
  {
    proves: 'docker {run,create} --health-start-interval',
    args: ['--health-cmd', 'x', '--health-start-interval', '5s'],
    inspect: '{{.Config.Healthcheck.StartInterval}}',
    shows: /^5s$/,
  },
  {
    proves: 'docker {run,create} --no-healthcheck',
    args: ['--no-healthcheck'],
    inspect: '{{json .Config.Healthcheck.Test}}',
    shows: /^\["NONE"\]$/,
  },
  {
    proves: 'docker {run,create} --cidfile',
    args: ['--cidfile', join(folder, 'COMMAND.cid')],
    inspect: '{{.HostConfig.ContainerIDFile}}',
    shows: /\.cid$/,
  },
  {
    proves: 'docker {run,create} --runtime',
    args: ['--runtime', 'runc'],
    inspect: '{{.HostConfig.Runtime}}',
    shows: /^runc$/,
  },
  { proves: 'docker {run,create} --pull', args: ['--pull', 'never'], does: 'echo here', shows: /^here$/m },
  { proves: 'docker {run,create} --quiet', args: ['--quiet'], does: 'echo here', shows: /here\n$/ },
  {
    proves: 'docker {run,create} --platform',
    args: ['--platform', `linux/${process.arch === 'x64' ? 'amd64' : 'arm64'}`],
    does: 'echo here',
    shows: /^here$/m,
  },
  {
    proves: 'docker {run,create} --disable-content-trust',
    args: ['--disable-content-trust'],
    does: 'echo here',
    shows: /^here$/m,
  },
]);
