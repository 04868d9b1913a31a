import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { gzipSync } from 'node:zlib';

import type { TarInput } from '#formats/tar/write-tar.ts';
import { tarEntry, writeTar } from '#formats/tar/write-tar.ts';
import { readTar } from '#formats/tar/read-tar.ts';
import { DockerClient } from '../../kit/fake-engine/docker-client.ts';

interface World {
  readonly client: DockerClient;
  readonly id: string;
  /** The container's root, inside of `outside`. */
  readonly root: string;
  readonly outside: string;
}

/** A stopped container whose root is a folder of this machine, next to things that are none of its business. */
async function world(t: TestContext, body: object = {}): Promise<World> {
  const outside = mkdtempSync(join(tmpdir(), 'slipway-archive-'));
  const client = await DockerClient.start({ after: (work) => t.after(work) });
  t.after(() => rmSync(outside, { recursive: true, force: true }));
  const root = join(outside, 'root');
  mkdirSync(join(root, 'etc'), { recursive: true });
  mkdirSync(join(root, 'dir/sub'), { recursive: true });
  writeFileSync(join(outside, 'secret'), 'secret');
  writeFileSync(join(root, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\napp:x:1000:1001::/:/bin/sh\n');
  writeFileSync(join(root, 'dir/file'), 'content');
  writeFileSync(join(root, 'dir/sub/deep'), 'deep');
  chmodSync(join(root, 'dir/file'), 0o640);
  symlinkSync('/dir/file', join(root, 'link'));
  symlinkSync('../../../secret', join(root, 'escape'));
  symlinkSync('/', join(root, 'top'));
  client.engine.containers.root = root;
  return { client, id: await client.create(['wait'], body), root, outside };
}

async function tarOf(...members: readonly TarInput[]): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of writeTar(members)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function file(path: string, text: string, fields: object = {}): TarInput {
  return { entry: tarEntry(path, { sizeBytes: text.length, ...fields }), body: Buffer.from(text) };
}

async function get(client: DockerClient, id: string, path: string): Promise<Record<string, string>> {
  const answer = await client.open('GET', `/containers/${id}/archive?path=${encodeURIComponent(path)}`);
  assert.equal(answer.statusCode, 200);
  const found: Record<string, string> = {};
  for await (const { entry, body } of readTar(answer)) {
    const chunks = [];
    for await (const chunk of body) chunks.push(chunk);
    found[entry.path] = entry.linkTarget || Buffer.concat(chunks).toString();
  }
  return found;
}

async function put(world: World, path: string, tar: Uint8Array, query = ''): Promise<{ status: number; text: string }> {
  return await world.client.call(
    'PUT',
    `/containers/${world.id}/archive?path=${encodeURIComponent(path)}${query}`,
    tar,
  );
}

async function stat(world: World, path: string): Promise<Record<string, unknown> | number> {
  const url = `/containers/${world.id}/archive?path=${encodeURIComponent(path)}`;
  const answer = await world.client.call('HEAD', url);
  const header = answer.headers['x-docker-container-path-stat'];
  if (typeof header !== 'string') return answer.status;
  return JSON.parse(Buffer.from(header, 'base64').toString()) as Record<string, unknown>;
}

describe("looking at a container's files", () => {
  test('tells what is there', async (t) => {
    const w = await world(t);
    const { mtime: _, ...found } = (await stat(w, '/dir/file')) as Record<string, unknown>;
    assert.deepEqual(found, { name: 'file', size: 7, mode: 0o640, linkTarget: '' });
    const link = (await stat(w, 'link')) as Record<string, unknown>;
    assert.deepEqual([link['name'], link['mode'], link['linkTarget']], ['link', 2 ** 27 + 0o777, '/dir/file']);
    const folder = (await stat(w, '/dir/')) as Record<string, unknown>;
    assert.deepEqual([folder['name'], folder['mode']], ['dir', 2 ** 31 + 0o755]);
    assert.equal(await stat(w, '/nope'), 404);
    assert.equal(await stat(w, '/dir/file/'), 404);
    assert.equal(await stat(w, ''), 400);
  });

  test('never sees outside of the container', async (t) => {
    const w = await world(t);
    // The link leads to nothing inside the root, and so it says what it says.
    const link = (await stat(w, '/escape')) as Record<string, unknown>;
    assert.equal(link['linkTarget'], '/secret');
    assert.equal(await stat(w, '/escape/'), 404);
    assert.equal(await stat(w, '/../../secret'), 404);
    assert.equal(await stat(w, '/top/../secret'), 404);
    const through = (await stat(w, '/top/dir/file')) as Record<string, unknown>;
    assert.equal(through['size'], 7);
  });

  test('takes files and folders out', async (t) => {
    const { client, id } = await world(t);
    assert.deepEqual(await get(client, id, '/dir/file'), { file: 'content' });
    assert.deepEqual(await get(client, id, '/link'), { link: '/dir/file' });
    assert.deepEqual(await get(client, id, '/dir'), {
      'dir/': '',
      'dir/file': 'content',
      'dir/sub/': '',
      'dir/sub/deep': 'deep',
    });
    assert.deepEqual(await get(client, id, '/dir/.'), { './': '', file: 'content', 'sub/': '', 'sub/deep': 'deep' });
    assert.ok('/dir/file' in (await get(client, id, '/')));
    assert.equal((await client.call('GET', `/containers/${id}/archive?path=/nope`)).status, 404);
  });
});

describe('putting files into a container', () => {
  test('keeps owners, modes and links', async (t) => {
    const w = await world(t);
    const tar = await tarOf(
      file('new', 'hello', { uid: 5, gid: 6, mode: 0o4750, mtimeNs: 1_700_000_000_000_000_000n }),
      { entry: tarEntry('inner', { type: 'directory', mode: 0o700, mtimeNs: 1_600_000_000_000_000_000n }) },
      file('inner/x', 'x'),
      { entry: tarEntry('abs', { type: 'symlink', linkTarget: '/dir/file' }) },
      { entry: tarEntry('again', { type: 'hardlink', linkTarget: 'new' }) },
    );
    assert.equal((await put(w, '/dir', gzipSync(tar))).status, 200);
    const found = lstatSync(join(w.root, 'dir/new'));
    assert.deepEqual([found.uid, found.gid, found.mode & 0o7777], [5, 6, 0o4750]);
    assert.equal(found.mtimeMs, 1_700_000_000_000);
    assert.equal(lstatSync(join(w.root, 'dir/inner')).mtimeMs, 1_600_000_000_000);
    assert.equal(readlinkSync(join(w.root, 'dir/abs')), '/dir/file');
    assert.equal(lstatSync(join(w.root, 'dir/again')).ino, found.ino);
  });

  test('follows links inside, and none outside', async (t) => {
    const w = await world(t);
    assert.equal((await put(w, '/top/dir', await tarOf(file('a', 'a')))).status, 200);
    assert.equal(readFileSync(join(w.root, 'dir/a'), 'utf8'), 'a');
    symlinkSync('../../..', join(w.root, 'dir/up'));
    const planted = await tarOf(
      { entry: tarEntry('door', { type: 'symlink', linkTarget: w.outside }) },
      file('door/planted', 'evil'),
      file('up/planted', 'evil'),
    );
    await put(w, '/dir', planted);
    assert.deepEqual(
      [existsSync(join(w.outside, 'planted')), existsSync(join(w.outside, 'root/../planted'))],
      [false, false],
    );
    const climbing = await put(w, '/dir', await tarOf(file('../../planted', 'evil')));
    assert.equal(climbing.status, 400);
    const linked = await put(
      w,
      '/dir',
      await tarOf({ entry: tarEntry('h', { type: 'hardlink', linkTarget: '../../secret' }) }),
    );
    assert.equal(linked.status, 400);
    assert.equal(existsSync(join(w.outside, 'planted')), false);
    assert.equal(readFileSync(join(w.outside, 'secret'), 'utf8'), 'secret');
  });

  test('does not swap files and folders when asked not to', async (t) => {
    const w = await world(t);
    const overFolder = await tarOf(file('sub', 'x'));
    const kept = await put(w, '/dir', overFolder, '&noOverwriteDirNonDir=true');
    assert.equal(kept.status, 400);
    assert.ok(lstatSync(join(w.root, 'dir/sub')).isDirectory());
    assert.equal((await put(w, '/dir', overFolder)).status, 200);
    assert.ok(lstatSync(join(w.root, 'dir/sub')).isFile());
  });

  test("gives files to the container's user on request", async (t) => {
    const w = await world(t, { User: 'app' });
    const tar = await tarOf(file('mine', 'x', { uid: 5, gid: 5 }));
    assert.equal((await put(w, '/dir', tar, '&copyUIDGID=true')).status, 200);
    const { uid, gid } = lstatSync(join(w.root, 'dir/mine'));
    assert.deepEqual([uid, gid], [1000, 1001]);
  });

  test('refuses what cannot be', async (t) => {
    const w = await world(t);
    const tar = await tarOf(file('a', 'a'));
    assert.equal((await put(w, '/nope', tar)).status, 404);
    const intoFile = await put(w, '/dir/file', tar);
    assert.equal(intoFile.status, 400);
    assert.match(intoFile.text, /extraction point is not a directory/);
    assert.equal((await put(w, '/dir', Buffer.from('this is no archive, however long it is'.repeat(40)))).status, 400);
    assert.equal((await put(w, '/dir', tar.subarray(0, 400))).status, 400);
  });
});
