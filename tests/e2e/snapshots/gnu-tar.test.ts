import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';

import { copyTree } from '#sys/tree/copy-tree.ts';
import { extractTar } from '#sys/tree/extract-tar.ts';
import { packTree } from '#sys/tree/pack-tree.ts';
import { isOrdinaryXattr } from '#sys/tree/tree-entry.ts';
import { walkTree } from '#sys/tree/walk-tree.ts';
import { makeNode } from '#sys/files.ts';
import { readXattrs, setXattr } from '#sys/xattrs.ts';

import { chunks, collect, digestOf, makeWorld, never } from './world.ts';

const formats: Readonly<Record<string, readonly string[]>> = {
  gnu: ['--format=gnu'],
  'gnu, sparse': ['--format=gnu', '--sparse'],
  pax: ['--format=pax', '--xattrs', '--xattrs-include=*'],
  'pax, sparse 0.0': ['--format=pax', '--sparse', '--sparse-version=0.0'],
  'pax, sparse 0.1': ['--format=pax', '--sparse', '--sparse-version=0.1'],
  'pax, sparse 1.0': ['--format=pax', '--sparse', '--sparse-version=1.0'],
};

const everything = { nanoseconds: true, xattrs: true };

for (const [format, args] of Object.entries(formats))
  test(`unpacks what GNU tar writes: ${format}`, async (t) => {
    const { from, to } = makeTree(t);
    const bytes = execFileSync('tar', [...args, '-C', from, '-cf', '-', '.'], { maxBuffer: 1 << 28 });
    await extractTar({ root: to, path: '/', tar: chunks(bytes, 65_536) }, never);
    const kept = { nanoseconds: !format.startsWith('gnu'), xattrs: format === 'pax' };
    assert.deepEqual(photograph(to, kept), photograph(from, kept));
  });

test('GNU tar unpacks what we write, and a copy is a copy', async (t) => {
  const { from, to } = makeTree(t);
  const bytes = await collect(
    packTree({ start: from, transform: (entry) => [{ ...entry, path: `./${entry.path}` }] }, never),
  );
  execFileSync('tar', ['--xattrs', '--xattrs-include=*', '--same-owner', '-p', '-C', to, '-xf', '-'], { input: bytes });
  const want = photograph(from, everything);
  assert.deepEqual(photograph(to, everything), want);
  await copyTree({ from, root: to, path: '/copy', keepsXattr: isOrdinaryXattr }, never);
  assert.deepEqual(photograph(join(to, 'copy'), everything), want);
  const [one, other] = [lstatSync(join(from, 'sparse')), lstatSync(join(to, 'copy/sparse'))];
  assert.ok(other.blocks * 512 < other.size / 2, `${String(one.blocks)} blocks became ${String(other.blocks)}`);
});

function makeTree(t: TestContext): { from: string; to: string } {
  const { dataDir } = makeWorld(t);
  const [from, to] = [join(dataDir, 'from'), join(dataDir, 'to')];
  mkdirSync(join(from, 'deep', 'd'.repeat(120), 'e'.repeat(120)), { recursive: true });
  mkdirSync(to);
  writeFileSync(join(from, 'deep', 'd'.repeat(120), 'e'.repeat(120), 'f'.repeat(200)), 'far away');
  writeFileSync(join(from, 'Főtanúsítvány'), 'utf8');
  writeFileSync(join(from, 'setuid'), 'x', { mode: 0o755 });
  execFileSync('chmod', ['4711', join(from, 'setuid')]);
  execFileSync('chown', ['3000000:70000', join(from, 'Főtanúsítvány')]);
  symlinkSync('n'.repeat(180), join(from, 'link'));
  linkSync(join(from, 'setuid'), join(from, 'also'));
  makeNode(join(from, 'null'), 'character', 0o666, 1, 3);
  makeNode(join(from, 'pipe'), 'fifo', 0o600);
  setXattr(join(from, 'setuid'), 'user.note', Buffer.of(0, 1, 255));
  writeFileSync(join(from, 'sparse'), '');
  const fd = openSync(join(from, 'sparse'), 'r+');
  for (let piece = 0; piece < 40; piece += 1) writeSync(fd, `piece ${String(piece)}`, piece * 200_000);
  truncateSync(join(from, 'sparse'), 9_000_000);
  writeFileSync(join(from, 'hole'), '');
  truncateSync(join(from, 'hole'), 1_000_000);
  return { from, to };
}

/** What an archive keeps of a tree; GNU's own format keeps seconds, and extended attributes only when it is asked to. */
function photograph(folder: string, kept: typeof everything): unknown {
  const inodes = new Map<bigint, string>();
  return Array.from(walkTree(folder), ({ path, at, stat }) => {
    const first = inodes.get(stat.ino) ?? path;
    inodes.set(stat.ino, first);
    return {
      path,
      first,
      mode: stat.mode,
      owner: `${String(stat.uid)}:${String(stat.gid)}`,
      rdev: stat.rdev,
      // Making the copy below it changes the time of the start.
      mtime: path === '' || stat.isSymbolicLink() ? 0n : stat.mtimeNs / (kept.nanoseconds ? 1n : 1_000_000_000n),
      content: stat.isFile() ? digestOf(readFileSync(at)) : '',
      xattrs: !kept.xattrs || !stat.isFile() ? [] : [...readXattrs(at)],
    };
  }).filter(({ path }) => !path.startsWith('copy'));
}
