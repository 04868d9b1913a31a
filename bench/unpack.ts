/** Unpacking a layer, side by side with GNU tar on the same archive: `node bench/unpack.ts [folder to archive]`. */
import { execFileSync } from 'node:child_process';
import { createReadStream, mkdirSync, mkdtempSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { monotonicMs } from '#base/clock.ts';
import { silentLogger } from '#base/logger.ts';
import { openSnapshots } from '#engine/snapshots/open-snapshots.ts';
import { syncFilesystem } from '#sys/files.ts';
import { removeTree } from '#sys/tree/remove-tree.ts';

import { median } from './statistics.ts';

const rounds = 5;
const never = new AbortController().signal;

const source = process.argv[2] ?? '/usr/lib/python3';
const work = mkdtempSync(join(tmpdir(), 'bench-unpack-'));
try {
  const archive = join(work, 'layer.tar');
  execFileSync('tar', ['-C', source, '-cf', archive, '.']);
  const times: Record<string, number[]> = { 'GNU tar': [], unpack: [], pack: [] };
  for (let round = 0; round < rounds; round += 1) {
    const target = join(work, 'gnu');
    mkdirSync(target);
    times['GNU tar']?.push(await timed(() => gnuTar(archive, target)));
    await removeTree(target);
    const [unpackMs, packMs] = await ours(archive);
    times['unpack']?.push(unpackMs);
    times['pack']?.push(packMs);
  }
  const peer = median(times['GNU tar'] ?? []);
  console.log(`${source}: ${String(Math.round(statSync(archive).size / 1e6))} MB, ${String(rounds)} rounds, median`);
  for (const [name, values] of Object.entries(times))
    console.log(`${name.padEnd(8)} ${median(values).toFixed(0)} ms, ${(median(values) / peer).toFixed(2)} of GNU tar`);
} finally {
  await removeTree(work);
}

async function gnuTar(archive: string, target: string): Promise<void> {
  execFileSync('sh', ['-c', 'sha256sum < "$1" & tar -C "$2" -xpf "$1"; wait', 'sh', archive, target], {
    stdio: 'ignore',
  });
  await syncFilesystem(target);
}

async function ours(archive: string): Promise<[unpackMs: number, packMs: number]> {
  const dataDir = join(work, 'ours');
  mkdirSync(dataDir);
  await using snapshots = await openSnapshots({ dataDir, logger: silentLogger });
  let chainId: `sha256:${string}` | undefined;
  const unpackMs = await timed(async () => {
    const bytes: AsyncIterable<Uint8Array> = createReadStream(archive, { highWaterMark: 1_048_576 });
    chainId = (await snapshots.unpack(undefined, bytes, undefined, never)).chainId;
  });
  const packMs = await timed(async () => {
    if (chainId !== undefined) for await (const _ of snapshots.pack(chainId, never));
  });
  await removeTree(dataDir);
  return [unpackMs, packMs];
}

async function timed(work: () => Promise<void>): Promise<number> {
  const start = monotonicMs();
  await work();
  return monotonicMs() - start;
}
