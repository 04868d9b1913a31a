import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import test from 'node:test';

import { never } from '../../kit/store-suite/driver.ts';
import { tempFolder } from '../../kit/temp-root.ts';
import { openSqliteStore } from '#store/sqlite/open-sqlite-store.ts';
import { verifyStore } from '#store/sqlite/verify-store.ts';

import { keyOf, nextStep, valueOf, type Step } from './steps.ts';

const writers = 16;

test('kill -9 at any instant loses no write that was acknowledged, and leaves none in part', async (t) => {
  const folder = tempFolder(t);
  /** The last step of each writer that was acknowledged, or found to be done. */
  const last = new Map<number, Step>();
  for (const [round, lines] of [1, 5, 20, 100, 300, 3, 700, 50, 1500, 10, 400, 2].entries()) {
    for (const [writer, step] of await runUntilKilled(folder, round, lines)) last.set(writer, step);
    const { problems } = verifyStore(folder);
    assert.deepEqual(problems, []);
    await using store = await openSqliteStore(folder, {
      keepChanges: 100,
      lazy: ['/registry/leases/'],
      currentOnly: ['/registry/leases/'],
    });
    const { entries } = await store.list('', {}, never);
    const found = new Map(entries.map(({ key, value }) => [key, Buffer.from(value)]));
    for (let writer = 0; writer < writers; writer += 1) {
      const before = last.get(writer);
      const first: Step = { do: 'put', count: round * 1_000_000 };
      // What was on its way when the process was killed may be done or not.
      const possible = [before, before === undefined ? first : nextStep(before), first];
      const is = possible.find((step) => isState(found.get(keyOf(writer)), writer, step));
      assert.ok(
        isState(found.get(keyOf(writer)), writer, is),
        `writer ${String(writer)} of round ${String(round)}: ${JSON.stringify(before)} was acknowledged, found ` +
          (found.get(keyOf(writer))?.subarray(0, 30).toString() ?? 'nothing'),
      );
      if (is !== undefined) last.set(writer, is);
    }
    assert.deepEqual(
      [...found.keys()].filter((key) => !isOurs(key)),
      [],
    );
  }
});

/** Whether a value, or its absence, is what a step leaves. */
function isState(found: Buffer | undefined, writer: number, step: Step | undefined): boolean {
  if (step === undefined || step.do === 'remove') return found === undefined;
  return found?.equals(valueOf(writer, step.count)) === true;
}

function isOurs(key: string): boolean {
  return Array.from({ length: writers }, (_, writer) => keyOf(writer)).includes(key);
}

/** The last step that each writer told of before the process was killed, while it worked on what comes after them. */
async function runUntilKilled(folder: string, round: number, lines: number): Promise<ReadonlyMap<number, Step>> {
  const script = join(import.meta.dirname, 'write-until-killed-child.ts');
  const child = spawn(process.execPath, [script, folder, String(writers), String(round)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exit = once(child, 'exit');
  const told = new Map<number, Step>();
  let count = 0;
  for await (const line of createInterface(child.stdout)) {
    const [writer = '', what = '', step = ''] = line.split(' ');
    if (step !== '') told.set(Number(writer), { do: what === 'put' ? 'put' : 'remove', count: Number(step) });
    if ((count += 1) === lines) child.kill('SIGKILL');
  }
  assert.deepEqual(await exit, [null, 'SIGKILL']);
  return told;
}
