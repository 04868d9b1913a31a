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

/** One thing that both engines do. */
export interface Measured {
  readonly name: string;
  /** What must be there before, and is not measured. */
  readonly prepare?: (contender: Contender) => Promise<void>;
  readonly run: (contender: Contender) => Promise<void>;
  /** Takes away what was made. */
  readonly clean?: (contender: Contender) => Promise<void>;
}

interface Samples {
  readonly wallMs: number[];
  readonly cpuMs: number[];
}

/**
 * Measures each thing with ours and with dockerd, in turns within one run, and prints medians and the ratio: wall time of
 * the clients, and CPU time of clients, daemon and all that they start. `--rounds N`; `--record` appends lines to
 * bench/results.jsonl.
 */
export async function measurePaired(things: readonly Measured[], roundsByDefault: number): Promise<void> {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: String(roundsByDefault) },
      record: { type: 'boolean', default: false },
    },
  });
  const rounds = Number(values.rounds);
  await using ours = await openSlipway();
  await using peer = await openDockerd();
  for (const thing of things) {
    const samples = [ours, peer].map((contender) => ({ contender, wallMs: [] as number[], cpuMs: [] as number[] }));
    // The first round is for warming up.
    for (let round = -1; round < rounds; round += 1) {
      for (const { contender, wallMs, cpuMs } of samples) {
        const sample = await measureOnce(thing, contender);
        if (round < 0) continue;
        wallMs.push(sample.wallMs);
        cpuMs.push(sample.cpuMs);
      }
    }
    const [us, them] = samples;
    if (us === undefined || them === undefined) return;
    report(thing.name, rounds, us, them, values.record);
  }
}

async function measureOnce(thing: Measured, contender: Contender): Promise<{ wallMs: number; cpuMs: number }> {
  const limit = deadline(hourMs);
  await thing.prepare?.(contender);
  await sleep(settleMs, limit);
  const usedMs = contender.cpu.usedMs();
  const startMs = monotonicMs();
  await thing.run(contender);
  const wallMs = monotonicMs() - startMs;
  await sleep(settleMs, limit);
  const cpuMs = contender.cpu.usedMs() - usedMs;
  await thing.clean?.(contender);
  return { wallMs, cpuMs };
}

function report(name: string, rounds: number, us: Samples, them: Samples, record: boolean): void {
  console.log(`${name}: ${String(rounds)} rounds in turns, median (minimum) in ms`);
  for (const [engine, { wallMs, cpuMs }] of [
    ['slipway', us],
    ['dockerd', them],
  ] as const)
    console.log(`  ${engine} wall ${medianAndMinimum(wallMs)}, CPU ${medianAndMinimum(cpuMs)}`);
  const ratio = { wall: ratioOf(us.wallMs, them.wallMs), cpu: ratioOf(us.cpuMs, them.cpuMs) };
  console.log(`  ours is ${String(ratio.wall)} of dockerd in wall time, ${String(ratio.cpu)} in CPU time`);
  if (!record) return;
  const numbers = ({ wallMs, cpuMs }: Samples): object => ({
    wallMs: median(wallMs),
    wallMinMs: Math.min(...wallMs),
    cpuMs: median(cpuMs),
    cpuMinMs: Math.min(...cpuMs),
  });
  const machine = { kernel: release(), cpus: availableParallelism(), load: loadavg()[0] };
  const time = new Date(nowMs()).toISOString();
  const line = { bench: name, time, rounds, slipway: numbers(us), dockerd: numbers(them), ratio, machine };
  appendFileSync(join(import.meta.dirname, 'results.jsonl'), `${JSON.stringify(line)}\n`);
}

function ratioOf(one: readonly number[], other: readonly number[]): number {
  return Math.round((median(one) / median(other)) * 1000) / 1000;
}
