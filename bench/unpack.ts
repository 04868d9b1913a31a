/** Unpacking a layer, side by side with GNU tar on the same archive: `node bench/unpack.ts [folder to archive]`. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { required } from '#base/assert.ts';
import { silentLogger } from '#base/logger.ts';
import { openSnapshots } from '#engine/snapshots/open-snapshots.ts';
import { ArchiveFile } from '#engine/stream/archive-file.ts';
import { syncFilesystem } from '#sys/files.ts';
import { removeTree } from '#sys/tree/remove-tree.ts';

import { CpuGroup, inGroup } from './cpu-group.ts';
import { type Sample, sample, sampleInTurns } from './sample.ts';

const rounds = 5;
const never = new AbortController().signal;

const source = process.argv[2] ?? '/usr/lib/python3';
const work = mkdtempSync(join(tmpdir(), 'bench-unpack-'));
const tarCpu = new CpuGroup(`slipway-bench-unpack-${String(process.pid)}`);
try {
  const archive = join(work, 'layer.tar');
  execFileSync('tar', ['-C', source, '-cf', archive, '.']);
  console.log(
    `${source}: ${String(Math.round(statSync(archive).size / 1e6))} MB: ms, median (minimum), share of tar's`,
  );
  await sampleInTurns(rounds, { 'GNU tar': () => gnuTar(archive), slipway: () => unpack(archive) });
} finally {
  await tarCpu[Symbol.asyncDispose]();
  await removeTree(work);
}

async function gnuTar(archive: string): Promise<Sample> {
  const target = join(work, 'gnu');
  mkdirSync(target);
  const script = 'sha256sum < "$1" & tar -C "$2" -xpf "$1"; wait';
  const [file = '', ...words] = inGroup(tarCpu, ['sh', '-c', script, 'sh', archive, target]);
  const unpacked = await sample(async () => {
    execFileSync(file, words, { stdio: 'ignore' });
    await syncFilesystem(target);
  }, tarCpu);
  await removeTree(target);
  return unpacked;
}

async function unpack(archive: string): Promise<Sample> {
  const dataDir = join(work, 'ours');
  mkdirSync(dataDir);
  let unpacked: Sample | undefined;
  {
    await using snapshots = await openSnapshots({ dataDir, logger: silentLogger });
    unpacked = await sample(async () => {
      await snapshots.unpack(undefined, new ArchiveFile(archive), undefined, never);
    });
  }
  await removeTree(dataDir);
  return required(unpacked, 'a sample');
}
