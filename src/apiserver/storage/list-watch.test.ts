import { test } from 'node:test';

import { compareWithLog } from '#kit/kube-api/compare-with-log.ts';
import { openMemoryStore } from '#store/memory/open-memory-store.ts';

test('lists and watches from any revision are the replay of the log', async () => {
  await compareWithLog(async () => await Promise.resolve(openMemoryStore()), 12);
});
