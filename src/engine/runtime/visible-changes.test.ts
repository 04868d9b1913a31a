import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { Change } from '../snapshots/snapshots.ts';
import { visibleChanges } from './visible-changes.ts';

function changes(text: string): readonly Change[] {
  const kinds = { A: 'added', C: 'modified', D: 'deleted' } as const;
  return text
    .split(' ')
    .filter(Boolean)
    .map((entry) => ({ kind: kinds[entry[0] as keyof typeof kinds], path: entry.slice(1) }));
}

const cases: readonly (readonly [string, string])[] = [
  ['A/dev A/proc A/sys C/etc A/etc/hosts A/etc/hostname A/etc/resolv.conf', ''],
  ['C/etc A/etc/hosts A/etc/own', 'C/etc A/etc/own'],
  ['C/etc A/etc/hosts D/etc/group', 'C/etc D/etc/group'],
  ['C/etc C/etc/hosts', 'C/etc C/etc/hosts'],
  ['C/etc', 'C/etc'],
  ['A/etcetera A/etc/hosts C/etc', 'A/etcetera'],
  ['D/proc', 'D/proc'],
];

for (const [given, shown] of cases) {
  test(`"${given}" shows as "${shown}"`, () => assert.deepEqual(visibleChanges(changes(given)), changes(shown)));
}
