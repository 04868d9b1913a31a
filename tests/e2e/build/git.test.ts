import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import type { BuildSession } from '#engine/build/builder.ts';
import { type GitServer, openGitServer } from '../../kit/git-server.ts';
import { never, openFileWorld, type World } from './world.ts';

let world: World & AsyncDisposable;
let server: GitServer;
let first = '';

before(async () => {
  world = await openFileWorld();
  server = await openGitServer();
  first = server.commit('app', { 'top.txt': 'one', 'docs/a.txt': 'a' }, 'v1');
  server.commit('app', { 'top.txt': 'two' });
});
after(async () => {
  await server[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
});

const files = async (line: string, session?: BuildSession): Promise<readonly string[]> =>
  await (await world.build(`FROM scratch\n${line}`, session && { session })).files();

describe('ADD of a repository', () => {
  test('is the files of its default branch, without .git', async () => {
    const expected = ['/x/ 755 0:0', '/x/docs/ 755 0:0', '/x/docs/a.txt 644 0:0 a', '/x/top.txt 644 0:0 two'];
    assert.deepEqual(await files(`ADD ${server.smartUrl}/app.git /x`), expected);
    assert.deepEqual(await files(`ADD ${server.plainUrl}/app.git /x`), expected, 'from a server of plain files');
  });

  test('of a tag, a branch, a commit, a folder', async () => {
    for (const url of [server.smartUrl, server.plainUrl])
      for (const ref of ['v1', first])
        assert.ok((await files(`ADD ${url}/app.git#${ref} /x/`)).includes('/x/top.txt 644 0:0 one'), url + ref);
    assert.deepEqual(await files(`ADD ${server.smartUrl}/app.git#main:docs /x`), ['/x/ 755 0:0', '/x/a.txt 644 0:0 a']);
    assert.deepEqual(await files(`ADD --exclude=docs ${server.smartUrl}/app.git?tag=v1 /x`), [
      '/x/ 755 0:0',
      '/x/top.txt 644 0:0 one',
    ]);
  });

  test('the same commit is cached, a new one is not', async () => {
    const line = `ADD ${server.smartUrl}/moving.git /x`;
    server.commit('moving', { f: '1' });
    await files(line);
    const again = await world.build(`FROM scratch\n${line}`);
    assert.ok(again.events.some(({ kind }) => kind === 'cached'));
    server.commit('moving', { f: '2' });
    assert.ok((await files(line)).includes('/x/f 644 0:0 2'));
  });

  test('--keep-git-dir, --checksum, --chown, submodules', async () => {
    const kept = await files(`ADD --keep-git-dir=true --chown=5:6 ${server.smartUrl}/app.git /x`);
    assert.ok(kept.some((line) => line.startsWith('/x/.git/HEAD 644 5:6')));
    await files(`ADD --checksum=${first.slice(0, 12)} ${server.smartUrl}/app.git#v1 /x`);
    await assert.rejects(files(`ADD --checksum=${first} ${server.smartUrl}/app.git /x`), {
      reason: 'InvalidArgument',
      message: /expected checksum to match/,
    });
    server.commit('parent', { p: 'p' });
    await server.addSubmodule('parent', 'app', 'sub');
    const nested = await files(`ADD ${server.smartUrl}/parent.git /x`);
    assert.ok(nested.includes('/x/sub/top.txt 644 0:0 two'));
    assert.ok(!nested.some((line) => line.includes('/.git ') || line.includes('/.git/')));
  });

  test('a token of the session, and credentials in the URL', async (t) => {
    t.after(() => (server.wanted = ''));
    const basic = (pair: string): string => `basic ${Buffer.from(pair).toString('base64')}`;
    server.wanted = basic('x-access-token:hush');
    const session: BuildSession = {
      secret: async (id) => await Promise.resolve(id === 'GIT_AUTH_TOKEN' ? Buffer.from('hush\n') : undefined),
      hasSshAgent: async () => await Promise.resolve(false),
      connectSshAgent: async () => await Promise.reject(new Error('no agent')),
    };
    assert.ok((await files(`ADD ${server.smartUrl}/app.git /x`, session)).includes('/x/top.txt 644 0:0 two'));
    await assert.rejects(files(`ADD ${server.smartUrl}/app.git /x`), { reason: 'Unavailable' });
    server.wanted = basic('me:p@ss');
    const { image } = await world.build(
      `FROM scratch\nADD ${server.smartUrl.replace('//', '//me:p%40ss@')}/app.git /x`,
    );
    assert.equal(server.authorization, server.wanted);
    assert.match(image.config.history?.[0]?.created_by ?? '', /^ADD http:\/\/xxxxx:xxxxx@127/);
  });

  test('what cannot be fetched is said, and leaves nothing', async () => {
    await assert.rejects(files(`ADD ${server.smartUrl}/none.git /x`), {
      reason: 'Unavailable',
      message: /Cannot fetch "http.*none\.git": Cannot run .*git: .*not found/,
    });
    await assert.rejects(files(`ADD ${server.smartUrl}/app.git#nowhere /x`), { message: /nowhere/ });
    assert.deepEqual(readdirSync(join(world.folder, 'build/tmp')), []);
  });
});

test('a repository as context', async () => {
  const fetch = async (name: string, url: string, keepGitDir = false): Promise<string> => {
    const folder = join(world.folder, name);
    mkdirSync(folder);
    return await world.builder.fetchContext(url, { folder, keepGitDir }, never);
  };
  const whole = await fetch('whole', `${server.smartUrl}/parent.git`);
  assert.deepEqual(readdirSync(whole).sort(), ['.gitmodules', 'p', 'sub']);
  assert.deepEqual(readdirSync(join(whole, 'sub')).sort(), ['docs', 'top.txt']);
  const part = await fetch('part', `${server.smartUrl}/app.git#v1:docs`, true);
  assert.equal(readFileSync(join(part, 'a.txt'), 'utf8'), 'a');
  assert.ok(existsSync(join(world.folder, 'part/.git')));
  await assert.rejects(fetch('no', `${server.smartUrl}/app.git#:nowhere`), { reason: 'NotFound' });
  await assert.rejects(fetch('file', 'file:///etc/passwd'), { reason: 'InvalidArgument' });
});
