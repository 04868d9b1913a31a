import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before } from 'node:test';

import type { Instance } from '../../kit/instance.ts';
import { openInstance } from '../../kit/open-instance.ts';
import { testCommands } from './command-case.ts';

let instance: Instance;
const folder = `/tmp/slipway-build-${String(process.pid)}`;
const idFile = join(folder, 'image-id');
const dockerfile = `FROM busybox AS first
ARG WHO=nobody
RUN echo "$WHO" > /who; cat /etc/hosts /proc/self/cgroup > /world; ulimit -n > /files; df /dev/shm > /shm
FROM first AS last
CMD ["cat", "/who"]
`;

before(async () => {
  mkdirSync(folder);
  writeFileSync(join(folder, 'Dockerfile'), dockerfile);
  writeFileSync(join(folder, 'Other'), 'FROM busybox\nCMD ["echo", "other"]\n');
  instance = await openInstance();
});
after(async () => {
  rmSync(folder, { recursive: true, force: true });
  await instance?.destroy();
});

const build = (...args: readonly string[]): readonly string[] => ['build', '-t', 'built', ...args, folder];
const run = (...args: readonly string[]): readonly string[] => ['run', '--rm', 'built', ...args];
const tagged = /Successfully tagged built:latest/;

testCommands(
  () => instance,
  [
    { proves: 'docker build', run: [build(), run()], shows: /^nobody$/m },
    {
      proves: 'docker build --tag',
      run: ['build', '--tag', 'named:1', '--tag', 'named:2', folder],
      shows: /Successfully tagged named:2/,
    },
    { proves: 'docker build --build-arg', run: [build('--build-arg', 'WHO=ann'), run()], shows: /^ann$/m },
    { proves: 'docker build --file', run: [build('--file', join(folder, 'Other')), run()], shows: /^other$/m },
    {
      proves: 'docker build --add-host',
      run: [build('--no-cache', '--add-host', 'harbour:10.1.2.3'), run('cat', '/world')],
      shows: /^10\.1\.2\.3\s+harbour$/m,
    },
    {
      proves: 'docker build --network',
      run: [build('--no-cache', '--network', 'none'), run('cat', '/world')],
      shows: /localhost/,
    },
    {
      proves: 'docker build --shm-size',
      run: [build('--no-cache', '--shm-size', '1m'), run('cat', '/shm')],
      shows: /\s1024\s/,
    },
    {
      proves: 'docker build --ulimit',
      run: [build('--no-cache', '--ulimit', 'nofile=64:64'), run('cat', '/files')],
      shows: /^64$/m,
    },
    {
      proves: 'docker build --label',
      run: [build('--label', 'a=b'), ['inspect', '--format', '{{.Config.Labels}}', 'built']],
      shows: /a:b/,
    },
    {
      proves: 'docker build --target',
      run: [build('--target', 'first'), ['inspect', '--format', '{{.Config.Cmd}}', 'built']],
      shows: /^\[sh\]$/m,
    },
    { proves: 'docker build --no-cache', run: build('--no-cache'), shows: /^(?![^]*Using cache)/ },
    { proves: 'docker build --quiet', run: build('--quiet'), shows: /sha256:[0-9a-f]{64}$/m },
    { proves: 'docker build --iidfile', run: build('--iidfile', idFile), shows: tagged },
    {
      proves: 'docker build --platform',
      run: build('--platform', `linux/${process.arch === 'x64' ? 'amd64' : 'arm64'}`),
      shows: tagged,
    },
    { proves: 'docker build --cache-from', run: build('--cache-from', 'busybox'), shows: tagged },
    { proves: 'docker build --compress', run: build('--compress'), shows: tagged },
    { proves: 'docker build --rm', run: build('--rm=true'), shows: tagged },
    { proves: 'docker build --force-rm', run: build('--force-rm'), shows: tagged },
    { proves: 'docker build --disable-content-trust', run: build('--disable-content-trust'), shows: tagged },
    { proves: 'docker build --memory', run: build('--no-cache', '--memory', '64m'), shows: tagged },
    {
      proves: 'docker build --memory-swap',
      run: build('--no-cache', '--memory', '64m', '--memory-swap', '96m'),
      shows: tagged,
    },
    { proves: 'docker build --cpu-shares', run: build('--no-cache', '--cpu-shares', '512'), shows: tagged },
    {
      proves: 'docker build --cpu-period',
      run: build('--no-cache', '--cpu-period', '50000', '--cpu-quota', '25000'),
      shows: tagged,
    },
    { proves: 'docker build --cpu-quota', run: build('--no-cache', '--cpu-quota', '50000'), shows: tagged },
    { proves: 'docker build --cpuset-cpus', run: build('--no-cache', '--cpuset-cpus', '0'), shows: tagged },
    { proves: 'docker build --cpuset-mems', run: build('--no-cache', '--cpuset-mems', '0'), shows: tagged },
    {
      refuses: 'docker build --cgroup-parent',
      run: build('--cgroup-parent', '/mine'),
      sentence: 'Cannot build with cgroupparent',
    },
    {
      refuses: 'docker build --security-opt',
      run: build('--security-opt', 'seccomp=unconfined'),
      sentence: 'Cannot build with securityopt',
    },
    {
      inapplicable: 'docker build --isolation',
      run: build('--isolation', 'hyperv'),
      sentence: 'Cannot build with isolation',
    },
    {
      refuses: 'docker build --squash',
      run: build('--squash'),
      sentence: 'is only supported on a Docker daemon with experimental features enabled',
    },
    { proves: 'docker builder prune --filter', run: 'builder prune --force --filter until=24h', shows: /Total/ },
    { proves: 'docker builder prune --keep-storage', run: 'builder prune --force --keep-storage 10g', shows: /Total/ },
    {
      proves: 'docker system prune --filter',
      run: 'system prune --force --filter until=24h',
      shows: /Total reclaimed space/,
    },
  ],
);
