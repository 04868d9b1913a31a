import { join } from 'node:path';
import test from 'node:test';

import { openEtcdStore } from '#store/etcd/open-etcd-store.ts';
import { openSqliteStore } from '#store/sqlite/open-sqlite-store.ts';

import { startEtcd } from '../../kit/etcd.ts';
import { compareWithLog } from '../../kit/kube-api/compare-with-log.ts';
import { never } from '../../kit/store-suite/driver.ts';
import { tempFolder } from '../../kit/temp-root.ts';

const runs = Number(process.env['LIST_WATCH_RUNS'] ?? '15');

test('over SQLite, lists and watches from any revision are the replay of the log', async (t) => {
  const folder = tempFolder(t);
  let opened = 0;
  await compareWithLog(async () => await openSqliteStore(join(folder, String((opened += 1))), {}), runs);
});

test('over etcd, lists and watches from any revision are the replay of the log', async (t) => {
  const etcd = await startEtcd(t);
  let opened = 0;
  await compareWithLog(
    async () => await openEtcdStore(etcd.url, { compactEveryMs: 0, prefix: `/run-${String((opened += 1))}` }, never),
    runs,
  );
});
