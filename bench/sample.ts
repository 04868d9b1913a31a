import { monotonicMs } from '#base/clock.ts';

import type { CpuGroup } from './cpu-group.ts';
import { median, medianAndMinimum } from './statistics.ts';

/** What one thing took. */
export interface Sample {
  readonly wallMs: number;
  readonly cpuMs: number;
}

/** Measures what all threads of this process do, or the programs of a group. */
export async function sample(task: () => Promise<void>, group?: CpuGroup): Promise<Sample> {
  const usedMs = (): number => group?.usedMs() ?? ownMs();
  const [usedBeforeMs, startMs] = [usedMs(), monotonicMs()];
  await task();
  return { wallMs: monotonicMs() - startMs, cpuMs: usedMs() - usedBeforeMs };
}

/** Takes samples of each thing in turns, after one round for warming up, and prints them beside the first. */
export async function sampleInTurns<Name extends string>(
  rounds: number,
  things: Readonly<Record<Name, () => Promise<Sample>>>,
): Promise<void> {
  const all = Object.entries<() => Promise<Sample>>(things).map(([name, take]) => ({
    name,
    take,
    samples: [] as Sample[],
  }));
  for (let round = -1; round < rounds; round += 1)
    for (const { take, samples } of all) {
      const one = await take();
      if (round >= 0) samples.push(one);
    }
  const [peer] = all;
  for (const { name, samples } of all) {
    const tell = (what: keyof Sample): string => {
      const share = median(valuesOf(samples, what)) / median(valuesOf(peer?.samples ?? [], what));
      return `${medianAndMinimum(valuesOf(samples, what)).padEnd(11)} ${share.toFixed(2)}`;
    };
    console.log(`${name.padEnd(10)} wall ${tell('wallMs')}  CPU ${tell('cpuMs')}`);
  }
}

function valuesOf(samples: readonly Sample[], what: keyof Sample): readonly number[] {
  return samples.map((one) => one[what]);
}

function ownMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
