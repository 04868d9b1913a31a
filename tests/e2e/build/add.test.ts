import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';

import { StatusError } from '#base/errors.ts';
import { tarEntry, writeTar } from '#formats/tar/write-tar.ts';
import type { TarEntry } from '#formats/tar-entry.ts';
import { openFileWorld, type World } from './world.ts';

let world: World & AsyncDisposable;
let server: Server;
let url = '';
let requests = 0;

async function tarOf(entries: readonly (Partial<TarEntry> & { readonly text?: string })[]): Promise<Buffer> {
  const members = entries.map(({ text = '', ...entry }) => {
    const bytes = Buffer.from(text);
    return { entry: tarEntry(entry.path ?? '', { ...entry, sizeBytes: bytes.length }), body: bytes };
  });
  const chunks: Uint8Array[] = [];
  for await (const chunk of writeTar(members)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

const put = (path: string, bytes: Uint8Array | string): void => writeFileSync(join(world.context, path), bytes);

function answer(response: ServerResponse, path: string): void {
  requests += 1;
  if (path === '/file.txt') response.setHeader('Last-Modified', 'Thu, 01 Jan 1970 00:16:40 GMT').end('fetched');
  else if (path === '/moved') response.writeHead(302, { Location: '/file.txt' }).end();
  else if (path === '/loop') response.writeHead(302, { Location: '/loop' }).end();
  else if (path === '/file-url') response.writeHead(302, { Location: 'file:///etc/passwd' }).end();
  else if (path === '/short') response.writeHead(200, { 'Content-Length': '100' }).write('x', () => response.destroy());
  else if (path === '/reset') response.socket?.destroy();
  else if (path === '/broken') response.writeHead(500).end();
  else if (path === '/') response.end('root');
  else response.writeHead(404).end();
}

before(async () => {
  world = await openFileWorld();
  server = createServer((request, response) => answer(response, request.url ?? ''));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
});
after(async () => {
  await world[Symbol.asyncDispose]();
  await new Promise((resolve) => server.close(resolve));
});

async function files(lines: string): Promise<readonly string[]> {
  return await (await world.build(`FROM scratch\n${lines}`)).files();
}

async function refused(lines: string, reason: string, message: RegExp): Promise<void> {
  await assert.rejects(world.build(`FROM scratch\n${lines}`), (error) => {
    assert.ok(error instanceof StatusError, String(error));
    assert.match(error.message, message);
    assert.equal(error.reason, reason);
    assert.equal(error.problems[0]?.path, 'Dockerfile:2');
    return true;
  });
  assert.deepEqual(world.snapshots.writables(), []);
}

describe('ADD of local files', () => {
  test('archives are unpacked, plain, gzip and zstd', async () => {
    const tar = await tarOf([
      { path: 'd/', type: 'directory', mode: 0o750 },
      { path: 'd/f', text: 'f', mode: 0o600 },
      { path: './deep/g', text: 'g' },
      { path: 'link', type: 'symlink', linkTarget: 'd/f' },
      { path: 'hard', type: 'hardlink', linkTarget: 'd/f' },
    ]);
    put('a.tar', tar);
    put('a.tgz', gzipSync(tar));
    put('a.bin', zstdCompressSync(tar));
    const expected = ['/x/ 755 0:0', '/x/d/ 750 0:0', '/x/d/f 600 0:0 f', '/x/deep/ 755 0:0', '/x/deep/g 644 0:0 g', '/x/hard 600 0:0 f', '/x/link -> d/f 0:0']; // prettier-ignore
    for (const name of ['a.tar', 'a.tgz', 'a.bin']) assert.deepEqual(await files(`ADD ${name} /x`), expected, name);
    assert.equal((await files('ADD --unpack=false a.tgz /x')).length, 1);
    assert.equal((await files('COPY a.tar /x')).length, 1);
  });

  test('other files are copied, compressed ones too', async () => {
    put('text.gz', gzipSync('text'));
    put('text', 'text');
    const [packed, text] = await files('ADD text.gz text /x/').then((lines) => lines.slice(1).reverse());
    assert.equal(packed?.startsWith('/x/text.gz 644'), true);
    assert.equal(text, '/x/text 644 0:0 text');
  });

  test('an archive cannot lead out', async () => {
    put('climb.tar', await tarOf([{ path: '../evil', text: 'x' }]));
    await refused('ADD climb.tar /x', 'InvalidArgument', /"..\/evil"/);
    put('whiteout.tar', await tarOf([{ path: '.wh.passwd', text: '' }]));
    await refused('ADD whiteout.tar /x', 'InvalidArgument', /names that begin with .wh./);
    put('through.tar', await tarOf([{ path: 'l', type: 'symlink', linkTarget: '/in' }, { path: 'in', type: 'directory' }, { path: 'l/f', text: 'f' }])); // prettier-ignore
    assert.deepEqual(await files('ADD through.tar /'), ['/in/ 755 0:0', '/in/f 644 0:0 f', '/l -> /in 0:0']);
  });

  test('broken archives are refused', async () => {
    const tar = await tarOf([{ path: 'f', text: 'f'.repeat(2000) }]);
    put('cut.tar', tar.subarray(0, 1000));
    await refused('ADD cut.tar /x', 'Damaged', /truncated|end/);
    put('cut.tgz', gzipSync(tar, { level: 0 }).subarray(0, 1000));
    await refused('ADD cut.tgz /x', 'Damaged', /broken|end|truncated/);
    put('a.tar.bz2', 'BZh91AY&SY');
    await refused('ADD a.tar.bz2 /x', 'NotSupported', /bzip2/);
  });
});

describe('ADD of URLs', () => {
  test('a file, by its name or another, with its time', async () => {
    assert.deepEqual(await files(`ADD ${url}/file.txt /x/`), ['/x/ 755 0:0', '/x/file.txt 600 0:0 fetched']);
    assert.deepEqual(await files(`ADD --chmod=644 ${url}/moved /y`), ['/y 644 0:0 fetched']);
    assert.deepEqual(await files(`ARG U=${url}\nADD $U/ /z`), ['/z 600 0:0 root']);
  });

  test('it is fetched each time, but the layer is reused', async () => {
    await world.build(`FROM scratch\nADD ${url}/file.txt /again`);
    const before = requests;
    const { events } = await world.build(`FROM scratch\nADD ${url}/file.txt /again`);
    assert.equal(requests, before + 1);
    assert.ok(events.some(({ kind }) => kind === 'cached'));
  });

  test('a checksum is checked', async () => {
    const right = createHash('sha256').update('fetched').digest('hex');
    assert.equal((await files(`ADD --checksum=sha256:${right} ${url}/file.txt /x`)).length, 1);
    const wrong = '0'.repeat(64);
    await refused(`ADD --checksum=sha256:${wrong} ${url}/file.txt /x`, 'InvalidArgument', /digest mismatch/);
    await refused(`ADD --checksum=md5:1 ${url}/file.txt /x`, 'InvalidArgument', /invalid checksum/);
  });

  test('what goes wrong is said with the URL', async () => {
    await refused(`ADD ${url}/no /x`, 'NotFound', /Cannot fetch "http.*\/no": invalid response status 404/);
    await refused(`ADD ${url}/broken /x`, 'Unavailable', /invalid response status 500/);
    await refused(`ADD ${url}/loop /x`, 'Unavailable', /more than 10 redirects/);
    await refused(`ADD ${url}/file-url /x`, 'InvalidArgument', /only http and https/);
    await refused(`ADD ${url}/short /x`, 'Unavailable', /Cannot fetch/);
    await refused(`ADD ${url}/ /x/`, 'InvalidArgument', /cannot determine filename/);
    await refused(`ADD ${url}/reset /x`, 'Unavailable', /Cannot fetch.*: (socket hang up|read ECONNRESET)/);
  });
});
