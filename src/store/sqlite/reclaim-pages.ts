import type { DatabaseSync } from 'node:sqlite';

import { pragma } from './database.ts';

/** Free pages that a database may always have: they are written again soon. */
const freePagesAlways = 2000;
/** Beyond those, one page in so many may be free. */
const pagesPerFree = 4;
/** Pages that are given back at a time, which takes milliseconds. */
const reclaimedAtOnce = 500;

/** Gives pages that many removals have left free back to the file system, some at a time. */
export function reclaimPages(database: DatabaseSync): void {
  const free = pragma(database, 'freelist_count');
  if (free < freePagesAlways || free < pragma(database, 'page_count') / pagesPerFree) return;
  database.exec(`PRAGMA incremental_vacuum(${String(reclaimedAtOnce)})`);
}
