import { existsSync } from 'node:fs';

import { StatusError } from '#base/errors.ts';

import { databasePath, openToRead } from './database.ts';
import { ofSqlite } from './sqlite-error.ts';
import { type StoreReport, verifyDatabase } from './verify-store.ts';

/**
 * Writes the store in a folder, as it is at one moment, to a database file that must not be there; a daemon may have it
 * open and write. The copy is read once whole. Nothing is synced. Throws NotFound, Damaged, DiskFull.
 */
export function backupStore(folder: string, file: string): StoreReport {
  const path = databasePath(folder);
  if (!existsSync(path))
    throw new StatusError('NotFound', `Cannot back up the store in "${folder}": it has no ${path}`);
  const database = openToRead(path);
  try {
    database.prepare('VACUUM INTO ?').run(file);
  } catch (error) {
    throw ofSqlite(error, path);
  } finally {
    database.close();
  }
  const report = verifyDatabase(file);
  if (report.problems.length === 0) return report;
  throw new StatusError(
    'Damaged',
    `Cannot back up the store "${path}": ${report.problems[0] ?? ''}; slipway store verify tells all`,
  );
}
