import { test } from 'node:test';

import type { Driver } from './driver.ts';
import { compareWithModel } from './compare-with-model.ts';
import { readCases } from './read-cases.ts';
import { watchCases } from './watch-cases.ts';
import { writeCases } from './write-cases.ts';

/** What every driver of `Store` must do. */
export function storeSuite({ name, open, runs }: Driver): void {
  const cases = { ...writeCases, ...readCases, ...watchCases };
  for (const [what, run] of Object.entries(cases)) test(`${name}: ${what}`, async (t) => await run(t, open));
  test(`${name}: whatever is done, it is as the model`, async (t) => await compareWithModel(t, open, runs));
}
