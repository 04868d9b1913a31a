// What our daemon takes when idle, and with 50 containers that publish 50 ports: resident memory of the daemon, CPU of all
// of it, and the share of memory (PSS) per container of the processes that hold them: `node bench/memory.ts`.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { deadline, monotonicMs, sleep } from '#base/clock.ts';

import type { Contender } from './contender.ts';
import { openSlipway } from './contender.ts';
import { median } from './statistics.ts';

const containers = 50;
const hourMs = 3_600_000;
/** Caches and compiled code settle meanwhile. */
const settleMs = 10_000;
const measuredMs = 20_000;
const megabyte = 1e6;
const limit = deadline(hourMs);

await using ours = await openSlipway();
await tell('idle', ours);
for (let index = 0; index < containers; index += 1) {
  const name = `c${String(index)}`;
  await ours.docker([
    'run',
    '-d',
    '--name',
    name,
    '-p',
    '80',
    '--cgroup-parent',
    ours.cpu.name,
    'busybox',
    'sleep',
    '3600',
  ]);
}
await tell(`${String(containers)} containers with a port each`, ours);
await ours.docker(['rm', '-f', ...Array.from({ length: containers }, (_, index) => `c${String(index)}`)]);
await tell('after they are gone', ours);

async function tell(what: string, { cpu }: Contender): Promise<void> {
  await sleep(settleMs, limit);
  const [usedMs, startMs] = [cpu.usedMs(), monotonicMs()];
  await sleep(measuredMs, limit);
  const cpuShare = (cpu.usedMs() - usedMs) / (monotonicMs() - startMs);
  const processes = processesOf(cpu.processFile);
  const daemon = processes.find(({ words }) => words.includes('daemon'));
  const holders = processes.filter(({ words }) => words[0]?.endsWith('conmon') === true);
  console.log(
    `${what}: daemon ${megabytes(daemon?.rssBytes)} MB RSS, ${megabytes(daemon?.pssBytes)} MB PSS; ` +
      `CPU ${(cpuShare * 100).toFixed(2)} %`,
  );
  if (holders.length > 0) {
    const share = median(holders.map(({ pssBytes }) => pssBytes));
    console.log(`  ${String(holders.length)} holders of containers, ${megabytes(share)} MB PSS each (median)`);
  }
}

interface Process {
  readonly words: readonly string[];
  readonly rssBytes: number;
  readonly pssBytes: number;
}

/** The processes of a cgroup and of those below. */
function processesOf(processFile: string): readonly Process[] {
  const folder = join(processFile, '..');
  const own = readFileSync(processFile, 'utf8').split('\n').filter(Boolean).flatMap(readProcess);
  const below = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(join(folder, entry.name, 'cgroup.procs')))
    .flatMap((entry) => processesOf(join(folder, entry.name, 'cgroup.procs')));
  return [...own, ...below];
}

/** smaps_rollup of proc_pid_smaps(5); nothing for one that has ended meanwhile. */
function readProcess(pid: string): readonly Process[] {
  try {
    const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
    const bytes = (name: string): number =>
      Number(new RegExp(`^${name}: +(\\d+) kB$`, 'm').exec(rollup)?.[1] ?? 0) * 1024;
    return [{ words, rssBytes: bytes('Rss'), pssBytes: bytes('Pss') }];
  } catch {
    return [];
  }
}

function megabytes(bytes = 0): string {
  return (bytes / megabyte).toFixed(1);
}
