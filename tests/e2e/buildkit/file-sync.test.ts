import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';

import { Channel } from '#base/channel.ts';
import { receiveFiles } from '#docker/buildkit/files/receive-files.ts';
import { sendFiles } from '#docker/buildkit/files/send-files.ts';
import type { GrpcStream } from '#docker/buildkit/grpc/grpc-channel.ts';
import { packet, packetTypes } from '#docker/buildkit/messages/session-messages.ts';
import { encodeMessage } from '#formats/protobuf/encode.ts';
import type { Encodable } from '#formats/protobuf/message.ts';

const never = new AbortController().signal;
const queued = 100_000;

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'slipway-sync-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A stream of packets whose other end is `to`. */
function streamOver(from: Channel<Buffer>, to: Channel<Buffer>): GrpcStream {
  return {
    send: async (message) => {
      to.push(Buffer.from(message));
      await Promise.resolve();
    },
    end: () => to.close(),
    messages: from,
    [Symbol.dispose]: () => to.close(),
  };
}

/** Sends one folder into another; returns how many bytes it took. */
async function sync(from: string, to: string): Promise<number> {
  const [there, back] = [new Channel<Buffer>(queued), new Channel<Buffer>(queued)];
  let sizeBytes = 0;
  const sent = sendFiles(streamOver(back, there), [{ root: from, name: '' }], () => {}, never);
  await receiveFiles(streamOver(there, back), to, (bytes) => (sizeBytes += bytes), never);
  there.close();
  await sent;
  return sizeBytes;
}

/** All that is in a folder, as lines. */
function listing(root: string): readonly string[] {
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .sort()
    .map((path) => {
      const at = join(root, path);
      const stat = lstatSync(at);
      const mode = stat.isSymbolicLink() ? '' : (stat.mode & 0o7777).toString(8);
      const what = stat.isSymbolicLink() ? readlinkSync(at) : stat.isFile() ? readFileSync(at, 'latin1') : '/';
      return `${path} ${mode} ${what} ${stat.isSymbolicLink() ? '' : String(stat.mtimeMs)}`;
    });
}

describe('files of a client', () => {
  test('arrive as they are: modes, times, links, second names, odd names', async (t) => {
    const [from, to] = [folderOf(t), folderOf(t)];
    mkdirSync(join(from, 'a/b'), { recursive: true });
    writeFileSync(join(from, 'a/b/x'), 'x'.repeat(700_000));
    writeFileSync(join(from, 'a/ä \n'), '');
    writeFileSync(join(from, 'a-c'), 'sorts between a and a/b');
    chmodSync(join(from, 'a/b/x'), 0o4711);
    utimesSync(join(from, 'a/b/x'), 1000, 1234.5);
    symlinkSync('/etc/passwd', join(from, 'a/link'));
    linkSync(join(from, 'a/b/x'), join(from, 'second'));
    utimesSync(join(from, 'a'), 1000, 2000);
    await sync(from, to);
    assert.deepEqual(listing(to), listing(from));
    assert.equal(lstatSync(join(to, 'second')).ino, lstatSync(join(to, 'a/b/x')).ino);
  });

  test('are not sent again unless they have changed', async (t) => {
    const [from, to] = [folderOf(t), folderOf(t)];
    for (const name of ['one', 'two']) writeFileSync(join(from, name), name.repeat(100_000));
    assert.ok((await sync(from, to)) > 600_000);
    assert.ok((await sync(from, to)) < 1_000);
    writeFileSync(join(from, 'one'), 'changed');
    rmSync(join(from, 'two'));
    mkdirSync(join(from, 'two'));
    symlinkSync('one', join(from, 'three'));
    assert.ok((await sync(from, to)) < 1_000);
    assert.deepEqual(listing(to), listing(from));
    writeFileSync(join(to, 'one'), 'half');
    await sync(from, to);
    assert.deepEqual(listing(to), listing(from), 'what was written incompletely is fetched again');
  });

  test('that take turns in kind never lead anywhere else', async (t) => {
    const outside = folderOf(t);
    writeFileSync(join(outside, 'kept'), 'kept');
    const [links, folders, to] = [folderOf(t), folderOf(t), folderOf(t)];
    symlinkSync(outside, join(links, 'x'));
    symlinkSync(join(outside, 'kept'), join(links, 'y'));
    mkdirSync(join(folders, 'x'));
    writeFileSync(join(folders, 'x/kept'), 'other');
    writeFileSync(join(folders, 'y'), 'other');
    for (const from of [links, folders, links, folders]) {
      await sync(from, to);
      assert.deepEqual(listing(to), listing(from));
      assert.deepEqual([readdirSync(outside), readFileSync(join(outside, 'kept'), 'utf8')], [['kept'], 'kept']);
    }
  });
});

describe('a client that lies', () => {
  const folder = 2 ** 31 + 0o755;
  const link = 2 ** 27 + 0o777;
  type Packet = Encodable<typeof packet>;
  const stat = (path: string, fields: NonNullable<Packet['stat']> = {}): Packet => ({
    type: packetTypes.stat,
    stat: { path, mode: 0o644, ...fields },
  });
  const end: Packet = { type: packetTypes.stat };

  const cases: readonly (readonly [string, RegExp, ...(readonly Packet[])])[] = [
    ['about a way out', /no clean relative path/, stat('../out'), end],
    ['about an absolute path', /no clean relative path/, stat('/etc/out'), end],
    ['about a folder that is a link', /out of order/, stat('d', { mode: link, linkName: '/etc' }), stat('d/out'), end],
    ['about a folder that was not named', /out of order/, stat('d/out'), end],
    ['about a second name', /links to nothing/, stat('l', { linkName: 'etc/passwd' }), end],
    ['about a device', /device or socket/, stat('null', { mode: 2 ** 26 + 2 ** 21 }), end],
    ['about the same name', /out of order/, stat('d', { mode: folder }), stat('d'), end],
    ['with bytes of what was not asked for', /not asked for/, stat('a', { size: 1n }), end, { type: 2, id: 7 }],
    ['with names after their end', /not asked for/, stat('a', { size: 1n }), end, stat('b')],
    ['by ending early', /ended too early/, stat('a', { size: 5n }), end],
    ['by saying that it cannot', /error from sender: no such folder/, { type: 4, data: Buffer.from('no such folder') }],
  ];
  for (const [what, words, ...packets] of cases)
    test(`${what} is refused, and nothing is made elsewhere`, async (t) => {
      const parent = folderOf(t);
      const root = join(parent, 'root');
      mkdirSync(root);
      const [from, to] = [new Channel<Buffer>(queued), new Channel<Buffer>(queued)];
      for (const one of packets) from.push(Buffer.from(encodeMessage(packet, one)));
      from.close();
      await assert.rejects(
        receiveFiles(streamOver(from, to), root, () => {}, never),
        words,
      );
      assert.deepEqual(readdirSync(parent), ['root']);
      assert.ok(!existsSync('/etc/out'));
    });
});
