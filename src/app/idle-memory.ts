import { flushCompileCache } from 'node:module';

import { every } from '#base/clock.ts';
import { dropFilePages, trimMemory } from '#sys/memory.ts';

const lookEveryMs = 5_000;
/** Whoever used less of the CPU since the last look is idle: 2 % of a core. */
const idleCpuMs = 100;
/** Work after which it is worth while to collect garbage, which takes a tenth of a second, and to trim, which takes milliseconds. */
const collectAfterCpuMs = 500;
const trimAfterCpuMs = 2_000;

/** CPU milliseconds of this process, since its start. */
export interface CpuMarks {
  readonly now: number;
  readonly lastLook: number;
  readonly lastCollect: number;
  readonly lastTrim: number;
}

/** `collect`: the work is over, all that it needed goes back; `trim`: in the midst of work, what is free already. */
export function planLook({ now, lastLook, lastCollect, lastTrim }: CpuMarks): 'collect' | 'trim' | undefined {
  if (now - lastLook < idleCpuMs) return now - lastCollect < collectAfterCpuMs ? undefined : 'collect';
  return now - lastTrim < trimAfterCpuMs ? undefined : 'trim';
}

/**
 * Gives memory back that a start or a burst of work needed: garbage, free pages, pages of the program that were only read.
 * Garbage is collected only where the process was started with --expose-gc.
 */
export function keepIdleMemorySmall(): Disposable {
  let marks: CpuMarks = { now: 0, lastLook: cpuMs(), lastCollect: 0, lastTrim: 0 };
  return every(lookEveryMs, () => {
    marks = { ...marks, now: cpuMs() };
    const act = planLook(marks);
    if (act === 'collect') giveAllBack();
    if (act === 'trim') trimMemory();
    const done = cpuMs();
    marks = {
      now: done,
      lastLook: done,
      lastCollect: act === 'collect' ? done : marks.lastCollect,
      lastTrim: act === undefined ? marks.lastTrim : done,
    };
  });
}

function giveAllBack(): void {
  // Else it is written at an end in order only, and a daemon that was killed starts slowly again.
  flushCompileCache();
  globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' });
  trimMemory();
  dropFilePages();
}

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
