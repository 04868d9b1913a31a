/** A process that writes until it is killed; it prints a line for each write that was acknowledged. */
import { writeSync } from 'node:fs';

import { hasCode } from '#sys/errno.ts';
import { openSqliteStore } from '#store/sqlite/open-sqlite-store.ts';

import { keyOf, nextStep, valueOf, type Step } from './steps.ts';

const [folder = '', writers = '', round = ''] = process.argv.slice(2);
const never = new AbortController().signal;
const store = await openSqliteStore(folder, {
  keepChanges: 100,
  lazy: ['/registry/leases/'],
  currentOnly: ['/registry/leases/'],
});
tell('open');

await Promise.all(Array.from({ length: Number(writers) }, async (_, writer) => await write(writer)));

async function write(writer: number): Promise<void> {
  let revision = (await store.get(keyOf(writer), never))?.revision ?? 0n;
  for (let step: Step = { do: 'put', count: Number(round) * 1_000_000 }; ; step = nextStep(step)) {
    if (step.do === 'put') revision = await store.put(keyOf(writer), valueOf(writer, step.count), revision, {}, never);
    else {
      await store.remove(keyOf(writer), revision, never);
      revision = 0n;
    }
    tell(`${String(writer)} ${step.do} ${String(step.count)}`);
  }
}

/** The pipe does not block: it is full while the test has no time to read. */
function tell(line: string): void {
  for (;;) {
    try {
      return void writeSync(1, `${line}\n`);
    } catch (error) {
      if (!hasCode(error, 'EAGAIN')) throw error;
    }
  }
}
