import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before } from 'node:test';

import type { Instance } from '../../kit/instance.ts';
import { openInstance } from '../../kit/open-instance.ts';
import { testCommands } from './command-case.ts';

let instance: Instance;
const folder = `/tmp/slipway-commands-${String(process.pid)}`;
const variables = join(folder, 'variables');

before(async () => {
  mkdirSync(folder);
  writeFileSync(variables, 'FROM_FILE=yes\n');
  writeFileSync(join(folder, 'file'), 'hello\n', { mode: 0o640 });
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
after(async () => {
  rmSync(folder, { recursive: true, force: true });
  await instance?.destroy();
});

const inspect = (template: string, name: string): readonly string[] => ['inspect', '--format', template, name];

testCommands(
  () => instance,
  [
    { proves: 'docker ps', run: 'ps', shows: /busybox.*Up .*127\.0\.0\.1:\d+->80\/tcp\s+web/ },
    { proves: 'docker ps --all', run: 'ps --all --format {{.Names}}', shows: /^done$/m },
    { proves: 'docker ps --filter', run: 'ps --all --filter label=role=job --format {{.Names}}', shows: /^done\n$/ },
    {
      proves: 'docker ps --format',
      run: ['ps', '--filter', 'name=web', '--format', '{{.Names}}={{.State}}'],
      shows: /^web=running$/m,
    },
    { proves: 'docker ps --last', run: 'ps --last 1 --format {{.Names}}', shows: /^life\n$/ },
    { proves: 'docker ps --latest', run: 'ps --latest --format {{.Names}}', shows: /^life\n$/ },
    { proves: 'docker ps --no-trunc', run: 'ps --no-trunc --format {{.ID}}', shows: /^[0-9a-f]{64}$/m },
    { proves: 'docker ps --quiet', run: 'ps --quiet', shows: /^[0-9a-f]{12}\n/ },
    { proves: 'docker ps --size', run: 'ps --all --size --format {{.Size}}', shows: /\(virtual \d/ },

    { proves: 'docker inspect --size', run: 'inspect --size --format {{.SizeRootFs}} web', shows: /^\d+$/m },
    { proves: 'docker inspect --type', run: 'inspect --type container --format {{.Name}} web', shows: /^\/web$/m },
    { proves: 'docker container inspect', run: 'container inspect web', shows: /"Name": "\/web"/ },
    { proves: 'docker container inspect --format', run: 'container inspect --format {{.Name}} web', shows: /^\/web$/m },
    {
      proves: 'docker container inspect --size',
      run: 'container inspect --size --format {{.SizeRw}} web',
      shows: /^\d+$/m,
    },
    { proves: 'docker port', run: 'port web', shows: /^80\/tcp -> 127\.0\.0\.1:\d+$/m },
    { proves: 'docker top', run: 'top web -o pid,args', shows: /PID\s+COMMAND\n[^]*sleep 3600/ },
    { proves: 'docker diff', run: 'diff done', shows: /^A \/made$/m },
    { proves: 'docker stats', run: 'stats --no-stream', shows: /web\s+[\d.]+%/ },
    { proves: 'docker stats --all', run: 'stats --all --no-stream --format {{.Name}}', shows: /^done$/m },
    {
      proves: 'docker stats --format',
      run: ['stats', '--no-stream', '--format', '{{.Name}} {{.MemUsage}} {{.PIDs}}', 'web'],
      shows: /^web [1-9]\S* \/ \S+ [1-9]/m,
    },
    { proves: 'docker stats --no-stream', run: 'stats --no-stream --format {{.CPUPerc}} web', shows: /^[\d.]+%$/m },
    {
      proves: 'docker stats --no-trunc',
      run: 'stats --no-stream --no-trunc --format {{.Container}} web',
      shows: /^(web|[0-9a-f]{64})$/m,
    },

    { proves: 'docker logs', run: 'logs done', shows: /^one\ntwo\n$/ },
    { proves: 'docker logs --follow', run: 'logs --follow done', shows: /^one\ntwo\n$/ },
    { proves: 'docker logs --since', run: 'logs --since 2h done', shows: /^one\ntwo\n$/ },
    { proves: 'docker logs --tail', run: 'logs --tail 1 done', shows: /^two\n$/ },
    { proves: 'docker logs --timestamps', run: 'logs --timestamps done', shows: /^\d{4}-\d\d-\d\dT[\d:.]+Z one$/m },
    { proves: 'docker logs --until', run: 'logs --until 2h done', shows: /^$/ },

    { proves: 'docker exec', run: 'exec web echo inside', shows: /^inside$/m },
    {
      proves: 'docker exec --detach',
      run: [
        ['exec', '--detach', 'web', 'mkfifo', '/detached'],
        ['exec', 'web', 'sh', '-c', 'until test -p /detached; do sleep 0.1; done'],
      ],
    },
    { proves: 'docker exec --env', run: ['exec', '--env', 'A=b', 'web', 'sh', '-c', 'echo $A'], shows: /^b$/m },
    {
      proves: 'docker exec --env-file',
      run: ['exec', '--env-file', variables, 'web', 'sh', '-c', 'echo $FROM_FILE'],
      shows: /^yes$/m,
    },
    { proves: 'docker exec --interactive', run: 'exec --interactive web cat', stdin: 'through', shows: /^through$/m },
    {
      proves: 'docker exec --privileged',
      run: 'exec --privileged web grep CapEff /proc/self/status',
      shows: /CapEff:\s+0000[0-9a-f]*[1-9a-f]{3}/,
    },
    {
      proves: 'docker exec --tty',
      run: ['exec', '--tty', 'web', 'sh', '-c', 'test -t 1 && echo terminal'],
      shows: /^terminal/m,
    },
    { proves: 'docker exec --user', run: 'exec --user nobody web id -un', shows: /^nobody$/m },
    { proves: 'docker exec --workdir', run: 'exec --workdir /tmp web pwd', shows: /^\/tmp$/m },

    {
      proves: 'docker cp',
      run: [
        ['cp', join(folder, 'file'), 'web:/tmp/in'],
        ['exec', 'web', 'cat', '/tmp/in'],
      ],
      shows: /^hello$/m,
    },
    {
      proves: 'docker cp --archive',
      run: [
        ['cp', '--archive', join(folder, 'file'), 'web:/tmp/kept'],
        ['exec', 'web', 'stat', '-c', '%a %u', '/tmp/kept'],
      ],
      shows: /^640 0$/m,
    },
    { proves: 'docker cp --follow-link', run: 'cp --follow-link done:/link -', shows: /^link|made/ },
    {
      proves: 'docker cp --quiet',
      run: [
        ['cp', '--quiet', join(folder, 'file'), 'web:/tmp/quiet'],
        ['exec', 'web', 'cat', '/tmp/quiet'],
      ],
      shows: /^hello$/m,
    },
    { proves: 'docker export', run: 'export done', shows: /made/ },
    {
      proves: 'docker export --output',
      run: [
        ['export', '--output', join(folder, 'export.tar'), 'done'],
        ['import', join(folder, 'export.tar'), 'exported'],
      ],
      shows: /^sha256:/m,
    },
    {
      proves: 'docker commit',
      run: [
        ['commit', 'done', 'committed'],
        ['run', '--rm', 'committed', 'ls', '/made'],
      ],
      shows: /^\/made$/m,
    },
    {
      proves: 'docker commit --author',
      run: [['commit', '--author', 'Ann', 'done', 'by-ann'], inspect('{{.Author}}', 'by-ann')],
      shows: /^Ann$/m,
    },
    {
      proves: 'docker commit --change',
      run: [
        ['commit', '--change', 'ENV A=b', 'done', 'changed'],
        ['run', '--rm', 'changed', 'sh', '-c', 'echo $A'],
      ],
      shows: /^b$/m,
    },
    {
      proves: 'docker commit --message',
      run: [
        ['commit', '--message', 'why', 'done', 'said'],
        ['history', '--format', '{{.Comment}}', 'said'],
      ],
      shows: /^why$/m,
    },
    {
      proves: 'docker commit --pause',
      run: [
        ['commit', '--pause=false', 'web', 'unpaused'],
        ['run', '--rm', 'unpaused', 'echo', 'kept'],
      ],
      shows: /^kept$/m,
    },

    {
      proves: 'docker events',
      run: 'events --since 1h --until 0s',
      shows: /container create [0-9a-f]{64} \(image=busybox/,
    },
    { proves: 'docker events --filter', run: 'events --since 1h --until 0s --filter event=rename', shows: /^$/ },
    {
      proves: 'docker events --format',
      run: ['events', '--since', '1h', '--until', '0s', '--format', '{{.Type}}:{{.Action}}'],
      shows: /^container:start$/m,
    },
    { proves: 'docker events --since', run: 'events --since 0s --until 0s', shows: /^$/ },
    { proves: 'docker events --until', run: 'events --since 1h --until 59m', shows: /^$/ },
  ],
);
