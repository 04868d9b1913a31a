import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { eventually } from '../../kit/eventually.ts';
import type { Instance } from '../../kit/instance.ts';
import { openInstance } from '../../kit/open-instance.ts';
import { startRegistry } from '../../kit/registry.ts';
import { Session } from '../docker/session.ts';

import { Project } from './project.ts';

let instance: Instance;

before(async () => {
  instance = await openInstance();
});
after(async () => instance?.destroy());

const twoServices = `
services:
  app:
    image: busybox
    command: ["sh", "-c", "echo from-app; exec sleep 3600"]
    ports: ["127.0.0.1::80/udp"]
    stop_grace_period: 0s
  db:
    image: busybox
    command: sleep 3600
    volumes: [data:/data]
    stop_grace_period: 0s
volumes: { data: }
`;

test('the life of services: create, start, pause, restart, kill, stop, rm', async () => {
  await using project = new Project(instance, { 'compose.yaml': twoServices });
  await project.output('create');
  assert.deepEqual(await project.states(), ['app:created', 'db:created']);
  await project.output('start');
  assert.deepEqual(await project.states(), ['app:running', 'db:running']);
  await project.output('pause', 'app');
  assert.deepEqual(await project.states(), ['app:paused', 'db:running']);
  await project.output('unpause', 'app');
  await project.output('restart', 'app');
  assert.equal((await project.output('logs', '--no-log-prefix', 'app')).split('\n').length, 2);
  await project.output('kill', '--signal', 'KILL', 'app');
  const exit = await project.output('ps', '--all', '--format', '{{.ExitCode}} {{.Status}}', 'app');
  assert.match(exit, /^137 Exited \(137\)/);
  await project.output('stop');
  assert.deepEqual(await project.states(), ['app:exited', 'db:exited']);
  await project.output('rm', '--force', 'app');
  assert.deepEqual(await project.states(), ['db:exited']);
});

test('what is asked of running services', async () => {
  await using project = new Project(instance, { 'compose.yaml': twoServices, 'note.txt': 'note' });
  await project.output('up', '--detach');
  assert.match(await project.output('top'), /sleep 3600/);
  assert.match(await project.output('port', '--protocol', 'udp', 'app', '80'), /^127\.0\.0\.1:\d+$/);
  assert.match(await project.output('images'), /app-1\s+busybox\s+latest/);
  assert.equal(await project.output('volumes', '--format', '{{.Driver}}'), 'local');
  const stats = await project.output('stats', '--no-stream', '--format', '{{.MemUsage}} {{.PIDs}}', 'app');
  assert.match(stats, /^\S+B \/ [1-9.]\S*iB 1$/);
  await project.output('cp', 'note.txt', 'app:/tmp/');
  await project.output('cp', 'app:/tmp/note.txt', 'back.txt');
  assert.equal(readFileSync(join(project.folder, 'back.txt'), 'utf8'), 'note');
  await project.output('export', '--output', join(project.folder, 'app.tar'), 'app');
  assert.ok(statSync(join(project.folder, 'app.tar')).size > 100_000);
  await project.output('commit', 'app', 'app-now:1');
  assert.equal(await instance.dockerOutput('run', '--rm', 'app-now:1', 'cat', '/tmp/note.txt'), 'note');
  await instance.dockerOutput('rmi', 'app-now:1');
  assert.equal(await project.output('config', '--services').then((text) => text.split('\n').sort().join()), 'app,db');
});

test('one-off commands, with a terminal and without', async () => {
  await using project = new Project(instance, { 'compose.yaml': twoServices });
  await project.output('up', '--detach');
  const run = await project.run(
    ['run', '--rm', '-T', '--no-deps', '-e', 'A=b', 'app', 'sh', '-c', 'echo $A; cat; exit 4'],
    { stdin: 'piped' },
  );
  assert.deepEqual([run.code, run.stdout], [4, 'b\npiped']);
  const exec = await project.run(['exec', '-T', 'app', 'sh', '-c', 'cat; echo err >&2; exit 5'], { stdin: 'in' });
  assert.deepEqual([exec.code, exec.stdout, exec.stderr], [5, 'in', 'err\n']);
  await using terminal = Session.terminal(instance, ...project.args('exec', 'app', 'sh'));
  await terminal.expect(/#/);
  terminal.send('tty; echo $((6*7))\n');
  await terminal.expect(/\/dev\/pts\/0\s[\s\S]*42/);
  terminal.send('exit 6\n');
  assert.equal(await terminal.end(), 6);
  assert.deepEqual(await project.states(), ['app:running', 'db:running']);
});

test('events are told as they happen', async () => {
  await using project = new Project(instance, { 'compose.yaml': twoServices });
  await project.output('create');
  await using events = Session.docker(instance, ...project.args('events', '--json'));
  // The subscription is there when the first event comes; whatever is asked is asked again until then.
  await eventually('a start is told', async () => {
    await project.output('restart', 'app');
    return events.output.includes('"action":"start"');
  });
  const told = JSON.parse(events.output.split('\n')[0] ?? '') as Record<string, unknown>;
  assert.deepEqual([told['service'], told['type']], ['app', 'container']);
});

test('an image is built, pushed, pulled and run', async (t) => {
  const { address } = await startRegistry(t);
  const text = `
services:
  app:
    build: { context: ., target: final, args: { WHO: me }, labels: { built: here } }
    image: ${address}/app:1
    command: cat /who
`;
  const Dockerfile =
    'FROM busybox AS base\nARG WHO\nRUN echo built by $WHO > /who\nFROM base AS final\nFROM base AS other\nRUN false\n';
  await using project = new Project(instance, { 'compose.yaml': text, Dockerfile });
  await project.output('build');
  await project.output('push');
  await instance.dockerOutput('rmi', `${address}/app:1`);
  await project.output('pull');
  const up = await project.output('up', '--no-build', '--no-log-prefix', '--abort-on-container-exit');
  assert.match(up, /^built by me$/m);
  await project.output('down', '--rmi', 'all');
  assert.equal(await instance.dockerOutput('images', '--quiet', `${address}/app`), '');
});

test('watch copies what changes, restarts, and builds anew', async () => {
  const text = `
services:
  app:
    build: .
    image: watched
    command: ["sh", "-c", "cat /conf/text; exec sleep 3600"]
    stop_grace_period: 0s
    develop:
      watch:
        - { action: sync, path: ./src, target: /src }
        - { action: sync+restart, path: ./conf, target: /conf }
        - { action: rebuild, path: ./Dockerfile }
`;
  const Dockerfile = (word: string): string =>
    `FROM busybox\nCOPY src /src\nCOPY conf /conf\nRUN echo ${word} > /word\n`;
  const files = { 'src/text': 's1', 'conf/text': 'c1\n', Dockerfile: Dockerfile('w1') };
  await using project = new Project(instance, { 'compose.yaml': text, ...files });
  await project.output('up', '--detach', '--build');
  await using watch = Session.docker(instance, ...project.args('watch', '--no-up'));
  await watch.expect(/Watch enabled/);
  const inside = (path: string): Promise<string> =>
    project.run(['exec', '-T', 'app', 'cat', path]).then((r) => r.stdout.trim());
  project.write('src/text', 's2');
  await eventually('the file is copied', async () => (await inside('/src/text')) === 's2');
  project.write('conf/text', 'c2\n');
  await eventually('the service starts anew', async () => /c2/.test(await project.output('logs', 'app')));
  project.write('Dockerfile', Dockerfile('w2'));
  await eventually('the image is built anew', async () => (await inside('/word')) === 'w2');
});
