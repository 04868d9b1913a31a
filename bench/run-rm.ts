// `docker run --rm busybox /bin/true` on the default bridge, ours beside dockerd, in turns: wall time of the client, and CPU
// time of client, daemon and all that they start. `node bench/run-rm.ts [--rounds N] [--record]`; --record appends a line to
// bench/results.jsonl.
import { appendFileSync } from 'node:fs';
import { availableParallelism, loadavg, release } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { deadline, monotonicMs, nowMs, sleep } from '#base/clock.ts';

import { type Contender, openDockerd, openSlipway } from './contender.ts';
import { median, medianAndMinimum } from './statistics.ts';

const hourMs = 3_600_000;
/** What a daemon does after its client has left counts too. */
const settleMs = 300;

interface Samples {
  readonly contender: Contender;
  readonly wallMs: number[];
  readonly cpuMs: number[];
}

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '20' }, record: { type: 'boolean', default: false } },
});
const rounds = Number(values.rounds);

await using ours = await openSlipway();
await using peer = await openDockerd();
const all: readonly Samples[] = [ours, peer].map((contender) => ({ contender, wallMs: [], cpuMs: [] }));
const limit = deadline(hourMs);
for (let round = -1; round < rounds; round += 1) {
  for (const samples of all) {
    const { wallMs, cpuMs } = await measure(samples.contender);
    // The first is for warming up.
    if (round < 0) continue;
    samples.wallMs.push(wallMs);
    samples.cpuMs.push(cpuMs);
  }
}
report();

async function measure({ docker, cpu }: Contender): Promise<{ wallMs: number; cpuMs: number }> {
  const usedMs = cpu.usedMs();
  const startMs = monotonicMs();
  await docker(['run', '--rm', '--cgroup-parent', cpu.name, 'busybox', '/bin/true']);
  const wallMs = monotonicMs() - startMs;
  await sleep(settleMs, limit);
  return { wallMs, cpuMs: cpu.usedMs() - usedMs };
}

function report(): void {
  const [us, them] = all;
  if (us === undefined || them === undefined) return;
  console.log(`docker run --rm busybox /bin/true: ${String(rounds)} rounds in turns, median (minimum) in ms`);
  for (const { contender, wallMs, cpuMs } of all)
    console.log(`${contender.name.padEnd(8)} wall ${medianAndMinimum(wallMs)}, CPU ${medianAndMinimum(cpuMs)}`);
  const ratio = (one: readonly number[], other: readonly number[]): number =>
    Math.round((median(one) / median(other)) * 1000) / 1000;
  const [wall, cpu] = [ratio(us.wallMs, them.wallMs), ratio(us.cpuMs, them.cpuMs)];
  console.log(`ours is ${String(wall)} of dockerd in wall time, ${String(cpu)} in CPU time`);
  if (!values.record) return;
  const numbers = ({ wallMs, cpuMs }: Samples): object => ({
    wallMs: median(wallMs),
    wallMinMs: Math.min(...wallMs),
    cpuMs: median(cpuMs),
    cpuMinMs: Math.min(...cpuMs),
  });
  const machine = { kernel: release(), cpus: availableParallelism(), load: loadavg()[0] };
  const time = new Date(nowMs()).toISOString();
  const line = {
    bench: 'run-rm',
    time,
    rounds,
    slipway: numbers(us),
    dockerd: numbers(them),
    ratio: { wall, cpu },
    machine,
  };
  appendFileSync(join(import.meta.dirname, 'results.jsonl'), `${JSON.stringify(line)}\n`);
}
