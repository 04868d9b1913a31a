import assert from 'node:assert/strict';
import test from 'node:test';

import { createPauses } from './pauses.ts';

test('a long loop lets others have a turn', async () => {
  const pause = createPauses();
  const others: string[] = [];
  setImmediate(() => others.push('ran'));
  while (others.length === 0) await pause();
  assert.deepEqual(others, ['ran']);
});
