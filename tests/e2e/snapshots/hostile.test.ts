import assert from 'node:assert/strict';
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';

import { reasonOf, StatusError } from '#base/errors.ts';
import type { Snapshots } from '#engine/snapshots/snapshots.ts';
import { tarEntry } from '#formats/tar/write-tar.ts';
import { extractTar } from '#sys/tree/extract-tar.ts';
import { listXattrs } from '#sys/xattrs.ts';

import { chunks, file, folder, hardLink, link, makeWorld, type Member, never, tarOf, unpack } from './world.ts';

/** Archives that want to leave: each is refused, or stays inside. `out` is a folder outside with the file `secret`. */
const escapes: Readonly<Record<string, (out: string) => readonly Member[]>> = {
  'a name that climbs': () => [file('../../out/new', 'x')],
  'a name that climbs later': () => [folder('a'), file('a/../../out/new', 'x')],
  'an absolute name': (out) => [file(`${out}/new`, 'x')],
  'a link to outside, then a file through it': (out) => [link('a', out), file('a/new', 'x')],
  'a relative link to outside, then a file': () => [link('a', '../../../../out'), file('a/new', 'x')],
  'a link in a chain': (out) => [link('b', out), link('a', 'b'), file('a/new', 'x')],
  'a link that a folder replaces': (out) => [link('a', out), folder('a'), file('a/new', 'x')],
  'a folder that a link replaces': (out) => [folder('a'), file('a/x'), link('a', out), file('a/new', 'x')],
  'a file through a link of its own name': (out) => [link('a', `${out}/secret`), file('a', 'overwritten')],
  'a hard link to outside': (out) => [hardLink('a', `${out}/secret`), file('a', 'overwritten')],
  'a hard link that climbs': () => [hardLink('a', '../../../../out/secret')],
  'a hard link through a link': (out) => [link('l', out), hardLink('a', 'l/secret'), file('a', 'overwritten')],
  'a folder over a link': (out) => [link('a', out), folder('a', { mode: 0o777, uid: 99 })],
  'a whiteout through a link': (out) => [link('a', out), file('a/.wh.secret')],
  'a whiteout of the parent': () => [folder('a'), file('a/.wh...')],
  'a whiteout of the folder itself': () => [folder('a'), file('a/.wh..')],
  'a whiteout of nothing': () => [file('.wh.')],
  'a whiteout that climbs': () => [file('../.wh.out')],
  'a folder that is called a whiteout': () => [file('.wh.../out/new', 'x')],
  'an opaque folder through a link': (out) => [link('a', out), file('a/.wh..wh..opq')],
  'a root that is a link': (out) => [link('.', out), file('new', 'x')],
  'a root that is a file': () => [file('./', 'x'), file('a/..', 'x')],
  'a device that a file is written to': () => [
    { entry: tarEntry('dev', { type: 'character', deviceMajor: 1, deviceMinor: 5 }) },
    file('dev/new', 'x'),
    file('dev', 'overwritten'),
  ],
};

for (const [name, members] of Object.entries(escapes))
  test(`stays inside: ${name}`, async (t) => {
    const { snapshots, out, dataDir } = await makePlace(t);
    const before = photograph(out);
    const bytes = await tarOf(...members(out));
    await outcome(snapshots.unpack(undefined, chunks(bytes), undefined, never));
    const base = await unpack(snapshots, undefined, link('a', out), link('l', out), folder('b'));
    await outcome(snapshots.unpack(base.chainId, chunks(bytes), undefined, never));
    const root = join(dataDir, 'plain');
    mkdirSync(root);
    await outcome(extractTar({ root, path: '/', tar: chunks(bytes) }, never));
    assert.deepEqual(photograph(out), before);
    assert.deepEqual(readdirSync(join(dataDir, 'tmp')), []);
  });

test('overlayfs gets no orders from an archive', async (t) => {
  const { snapshots, dataDir } = await makePlace(t);
  const orders = ['redirect', 'metacopy', 'opaque', 'origin'].map((name) => `trusted.overlay.${name}`);
  const xattrs = new Map([...orders, 'user.fine'].map((name) => [name, Buffer.from('/etc')]));
  await unpack(snapshots, undefined, folder('a', { xattrs }), file('b', 'x', { xattrs }));
  const files = join(dataDir, 'layers', readdirSync(join(dataDir, 'layers'))[0] ?? '', 'fs');
  for (const name of ['a', 'b']) assert.deepEqual(listXattrs(join(files, name)), ['user.fine']);
});

test('links in circles, names that are too long and impossible targets are refused with a sentence', async (t) => {
  const { snapshots } = await makePlace(t);
  const refused: readonly (readonly Member[])[] = [
    [link('a', 'b'), link('b', 'a'), file('a/new')],
    [file('n'.repeat(256))],
    [file('a'), file('a/b')],
    [hardLink('a', 'missing')],
    [folder('a'), hardLink('b', 'a')],
    [hardLink('a', '.')],
  ];
  for (const members of refused) {
    const bytes = await tarOf(...members);
    await assert.rejects(
      snapshots.unpack(undefined, chunks(bytes), undefined, never),
      (error) => reasonOf(error) === 'InvalidArgument' && (error as Error).message.startsWith('Cannot unpack '),
      members.map(({ entry }) => entry.path).join(' '),
    );
  }
});

async function makePlace(t: TestContext): Promise<{ snapshots: Snapshots; out: string; dataDir: string }> {
  const world = makeWorld(t);
  const out = join(world.dataDir, 'out');
  mkdirSync(out);
  writeFileSync(join(out, 'secret'), 'secret', { mode: 0o600 });
  return { snapshots: await world.open(), out, dataDir: world.dataDir };
}

/** It may work or be refused, but never fail otherwise. */
async function outcome(work: Promise<unknown>): Promise<void> {
  await work.catch((error: unknown) => assert.ok(error instanceof StatusError, String(error)));
}

function photograph(out: string): unknown {
  const { mode, uid } = lstatSync(out);
  const secret = lstatSync(join(out, 'secret'));
  assert.equal(existsSync(join(out, 'new')), false);
  return {
    names: readdirSync(out),
    mode,
    uid,
    nlink: secret.nlink,
    secretMode: secret.mode,
    content: readFileSync(join(out, 'secret'), 'utf8'),
    xattrs: listXattrs(out),
  };
}
