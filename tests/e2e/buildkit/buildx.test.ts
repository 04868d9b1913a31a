import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after as afterAll, before, describe, test } from 'node:test';

import { commandOutput } from '../../kit/command.ts';
import { openGitServer } from '../../kit/git-server.ts';
import type { Instance } from '../../kit/instance.ts';
import { openInstance } from '../../kit/open-instance.ts';
import { proves } from '../../kit/proves.ts';
import { toolPath } from '../../kit/tools.ts';
import { Project } from '../clients/project.ts';
import { Buildx } from './buildx.ts';

let instance: Instance;
let buildx: Buildx;

before(async () => {
  instance = await openInstance();
  buildx = new Buildx(instance);
});
afterAll(async () => {
  await instance.destroy();
});

const twoStages = `FROM busybox AS build
WORKDIR /src
COPY hello.txt big.bin ./
RUN tr a-z A-Z < hello.txt > out.txt && echo made
FROM busybox
ARG WHO=nobody
LABEL who=$WHO
COPY --from=build /src/out.txt /
CMD ["cat", "/out.txt"]
`;

describe('docker buildx build', () => {
  test(
    'by /grpc and /session: shows steps, then CACHED, asks only for what changed, and makes an image that runs',
    proves('POST /{grpc,session}'),
    async () => {
      const folder = buildx.folder({ Dockerfile: twoStages, 'hello.txt': 'hello\n', 'big.bin': 'x'.repeat(300_000) });
      const first = await buildx.built(folder, ['-t', 'two', '--build-arg', 'WHO=me', '--label', 'a=b']);
      assert.match(first, /\[build 1\/4\] FROM busybox/);
      assert.match(first, /\[build 4\/4\] RUN tr a-z A-Z/);
      assert.match(first, /^#\d+ [\d.]+ made$/m);
      assert.match(first, /transferring context: 30\d\.\d+kB/);
      assert.match(first, /naming to docker\.io\/library\/two:latest/);
      assert.equal(await instance.dockerOutput('run', '--rm', 'two'), 'HELLO');
      assert.match(await instance.dockerOutput('inspect', '-f', '{{.Config.Labels}}', 'two'), /a:b .*who:me/);

      const id = await instance.dockerOutput('images', '-q', '--no-trunc', 'two');
      const again = await buildx.built(folder, ['-t', 'two', '--build-arg', 'WHO=me', '--label', 'a=b']);
      assert.equal(again.match(/^#\d+ CACHED$/gm)?.length, 4);
      assert.match(again, /transferring context: \d+B/);
      assert.equal(await instance.dockerOutput('images', '-q', '--no-trunc', 'two'), id);

      writeFileSync(join(folder, 'hello.txt'), 'other\n');
      writeFileSync(join(folder, 'big.bin'), 'small');
      await buildx.built(folder, ['-t', 'two']);
      assert.equal(await instance.dockerOutput('run', '--rm', 'two'), 'OTHER');
    },
  );

  test('plain docker build goes the same way, and DOCKER_BUILDKIT=0 the classic one', async () => {
    const folder = buildx.folder({ Dockerfile: 'FROM busybox\nRUN echo classic\n' });
    assert.match(await buildx.built(folder, ['-t', 'x']), /RUN echo classic/);
    const { code, stdout } = await instance.docker('build', '-t', 'x', folder);
    assert.equal(code, 0);
    assert.match(stdout, /Step 2\/2 : RUN echo classic\n ---> Using cache/);
  });

  test('a command that fails: its place in the Dockerfile, its output, its exit code', async () => {
    const text = 'FROM busybox\nRUN true\nRUN echo why && \\\n    exit 42\nRUN true\n';
    const { code, stderr } = await buildx.build(buildx.folder({ Dockerfile: text }));
    assert.equal(code, 1);
    assert.match(stderr, /> \[3\/4\] RUN echo why &&/);
    assert.match(stderr, /^[\d.]+ why$/m);
    assert.match(stderr, /Dockerfile:3\n-+\n.*\n +3 \| >>> RUN echo why && \\\n +4 \| >>> {5}exit 42\n/);
    assert.match(stderr, /process "\/bin\/sh -c echo why &&.*" did not complete successfully: exit code: 42/);
  });

  test('a Dockerfile that is wrong or not there', async () => {
    const wrong = await buildx.build(buildx.folder({ Dockerfile: 'FROM busybox\nNONSENSE x\n' }));
    assert.equal(wrong.code, 1);
    assert.match(wrong.stderr, /2 \| >>> NONSENSE x\n-+\nERROR: .*failed to solve: .*unknown instruction: NONSENSE/);
    const missing = await buildx.build(buildx.folder({}), ['-f', 'no.Dockerfile']);
    assert.equal(missing.code, 1);
    assert.match(missing.stderr, /failed to read dockerfile: open no\.Dockerfile: no such file or directory/);
  });

  test('ignored files stay away, also by patterns of the Dockerfile alone; links, modes and odd names come along', async () => {
    const folder = buildx.folder({
      Dockerfile: 'FROM busybox\nCOPY . /all\n',
      'second.Dockerfile': 'FROM busybox\nCOPY . /all\n',
      'second.Dockerfile.dockerignore': 'keep.txt\n',
      '.dockerignore': '# comment\n*.log\n!keep.log\nsecret/\n',
      'a.log': '',
      'keep.log': '',
      'keep.txt': '',
      'secret/x': '',
      'sub/ä ö.sh': '#!/bin/sh\n',
    });
    symlinkSync('../../../etc/passwd', join(folder, 'sub/link'));
    await commandOutput('chmod', ['755', join(folder, 'sub/ä ö.sh')]);
    await buildx.built(folder, ['-t', 'ignored']);
    const list = ['run', '--rm', 'ignored', 'sh', '-c', 'cd /all && find . -type f -o -type l | sort'];
    assert.equal(
      await instance.dockerOutput(...list),
      ['.dockerignore', 'Dockerfile', 'keep.log', 'keep.txt', 'second.Dockerfile', 'second.Dockerfile.dockerignore']
        .concat('sub/link', 'sub/ä ö.sh')
        .map((name) => `./${name}`)
        .join('\n'),
    );
    const stat = await instance.dockerOutput('run', '--rm', 'ignored', 'stat', '-c', '%a %u', '/all/sub/ä ö.sh');
    assert.equal(stat, '755 0');
    assert.equal(
      await instance.dockerOutput('run', '--rm', 'ignored', 'readlink', '/all/sub/link'),
      '../../../etc/passwd',
    );
    await buildx.built(folder, ['-t', 'ignored', '-f', join(folder, 'second.Dockerfile')]);
    const second = await instance.dockerOutput(...list);
    assert.ok(second.includes('./a.log') && second.includes('./secret/x') && !second.includes('keep.txt'));
  });

  test('secrets, named contexts, a Dockerfile on stdin, targets, stages without cache', async () => {
    const text = `FROM busybox AS first
RUN --mount=type=secret,id=token,required cat /run/secrets/token | md5sum
COPY --from=other n.txt /n.txt
FROM base AS second
RUN cat /etc/hosts
FROM nowhere/none
`;
    const folder = buildx.folder({ 'token.txt': 'hush' });
    const args = ['-f', '-', '--target', 'first', '--secret', `id=token,src=${join(folder, 'token.txt')}`];
    const other = buildx.folder({ 'n.txt': 'named', '.dockerignore': 'x' });
    const first = await buildx.built(folder, [...args, '--build-context', `other=${other}`, '-t', 'first'], {
      stdin: text,
    });
    assert.match(first, /17a5f83bb6e5fe0d40a25ad4c1d2fb87|[0-9a-f]{32} {2}-/);
    assert.ok(!first.includes('hush'));
    assert.equal(await instance.dockerOutput('run', '--rm', 'first', 'cat', '/n.txt'), 'named');
    const second = ['-f', '-', '--target', 'second', '--build-context', 'base=docker-image://busybox'];
    const hosts = await buildx.built(folder, [...second, '--add-host', 'my.host:10.1.2.3'], { stdin: text });
    assert.match(hosts, /10\.1\.2\.3\tmy\.host/);
    const cached = await buildx.built(folder, second, { stdin: text });
    assert.match(cached, /CACHED/);
    const filtered = await buildx.built(folder, [...second, '--no-cache-filter', 'second'], { stdin: text });
    assert.doesNotMatch(filtered, /CACHED/);
    const without = await buildx.build(
      folder,
      ['-f', '-', '--target', 'first', '--build-context', `other=${other}`, '--no-cache'],
      {
        stdin: text,
      },
    );
    assert.equal(without.code, 1);
    assert.match(without.stderr, /secret token: not found|token.*not found/i);
  });

  test('an SSH agent of the client', async () => {
    const folder = buildx.folder({
      Dockerfile:
        'FROM busybox\nRUN --mount=type=ssh,required nc -U $SSH_AUTH_SOCK 2>&1 | head -c 4 | od -c; test -S "$SSH_AUTH_SOCK" && echo lent\n',
    });
    const key = join(folder, 'key');
    await commandOutput(toolPath('ssh-keygen'), ['-q', '-t', 'ed25519', '-N', '', '-f', key]);
    assert.match(await buildx.built(folder, ['--ssh', `default=${key}`]), /^#\d+ [\d.]+ lent$/m);
  });

  test('contexts from elsewhere: an archive on stdin, a git repository', async () => {
    const folder = buildx.folder({ Dockerfile: 'FROM busybox\nCOPY x /x\n', x: 'from the archive' });
    const { code, stderr } = await buildx.run(['build', '--progress=plain', '-t', 'far', '-'], {
      stdin: execFileSync('tar', ['c', '-C', folder, '.']),
    });
    assert.equal(code, 0, stderr);
    assert.equal(await instance.dockerOutput('run', '--rm', 'far', 'cat', '/x'), 'from the archive');
    await using server = await openGitServer();
    server.commit('app', { 'sub/Dockerfile': 'FROM busybox\nCOPY x /x\n', 'sub/x': 'from git' });
    await buildx.built(`${server.smartUrl}/app.git#main:sub`, ['-t', 'far']);
    assert.equal(await instance.dockerOutput('run', '--rm', 'far', 'cat', '/x'), 'from git');
  });

  test('build checks, alone and beside a build', async () => {
    const doubtful = buildx.folder({ Dockerfile: 'FROM busybox\nRUN true\nCMD echo hi\n' });
    const checked = await buildx.run(['build', '--check', doubtful]);
    assert.equal(checked.code, 1);
    assert.match(checked.stdout, /1 warning has been found!/);
    assert.match(
      checked.stdout,
      /WARNING: JSONArgsRecommended - https:.*\n.*\n.*Dockerfile:3\n(.*\n)+ +3 \| >>> CMD echo hi/,
    );
    assert.match(await buildx.built(doubtful), /1 warning found.*\n.* - JSONArgsRecommended: .* \(line 3\)/);
    const fine = await buildx.run(['build', '--check', buildx.folder({ Dockerfile: 'FROM busybox\n' })]);
    assert.deepEqual([fine.code, fine.stdout], [0, 'Check complete, no warnings found.\n']);
    const wrong = await buildx.run(['build', '--check', buildx.folder({ Dockerfile: 'FROM busybox\nNOPE\n' })]);
    assert.equal(wrong.code, 1);
    assert.match(wrong.stdout + wrong.stderr, /unknown instruction: NOPE/);
    const outline = await buildx.run(['build', '--call=outline', doubtful]);
    assert.match(outline.stderr, /Cannot answer frontend\.outline: only --check and whole builds are supported/);
  });

  test('bake: several builds at once that share a context', async () => {
    const target = (name: string): object => ({ context: '.', target: name, tags: [`baked-${name}`] });
    const folder = buildx.folder({
      Dockerfile: 'FROM busybox AS a\nCOPY x /a\nFROM busybox AS b\nCOPY x /b\n',
      x: 'shared',
      'bake.json': JSON.stringify({
        group: { default: { targets: ['a', 'b'] } },
        target: { a: target('a'), b: target('b') },
      }),
    });
    const { code, stderr } = await buildx.run(['bake', '--progress=plain', '-f', 'bake.json'], { cwd: folder });
    assert.equal(code, 0, stderr);
    for (const name of ['a', 'b'])
      assert.equal(await instance.dockerOutput('run', '--rm', `baked-${name}`, 'cat', `/${name}`), 'shared');
  });

  test('compose builds its services so, with their secrets', async () => {
    await using project = new Project(instance, {
      'compose.yaml': `services:
  app:
    image: composed
    build: { context: ., dockerfile: Dockerfile, secrets: [token] }
secrets: { token: { file: ./token } }
`,
      Dockerfile: 'FROM busybox\nRUN --mount=type=secret,id=token,required wc -c < /run/secrets/token > /length\n',
      token: 'hush',
    });
    for (const bake of ['true', 'false']) {
      const { code, stderr } = await project.run(['build', '--no-cache'], {
        env: { ...buildx.env, COMPOSE_BAKE: bake },
      });
      assert.equal(code, 0, stderr);
      assert.equal(await instance.dockerOutput('run', '--rm', 'composed', 'cat', '/length'), '4');
    }
  });

  test('the cache is listed and pruned', async () => {
    await buildx.built(buildx.folder({ Dockerfile: 'FROM busybox\nRUN echo to be pruned > /x\n' }));
    const listed = await buildx.run(['du', '--verbose']);
    assert.match(listed.stdout, /Description:.*to be pruned/);
    const pruned = await buildx.run(['prune', '--all', '--force']);
    assert.equal(pruned.code, 0, pruned.stderr);
    assert.doesNotMatch((await buildx.run(['du', '--verbose'])).stdout, /to be pruned/);
  });

  test('options that it does not have are refused by name', async () => {
    const folder = buildx.folder({ Dockerfile: 'FROM busybox\n' });
    for (const [args, words] of [
      [['--cgroup-parent', 'x'], /Cannot build with cgroup-parent "x"/],
      [['--output', 'type=registry,compression=zstd', '-t', 'x'], /Cannot export to moby with compression=zstd/],
    ] as const) {
      const { code, stderr } = await buildx.build(folder, args);
      assert.equal(code, 1, args.join(' '));
      assert.match(stderr, words);
    }
  });
});
