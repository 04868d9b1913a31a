import type { DatabaseSync } from 'node:sqlite';

/** The row of the table `state`. */
export interface State {
  /** Of the latest write. */
  revision: bigint;
  /** No revision beyond it was ever given away. */
  ceiling: bigint;
  /** Nothing is known of what was before. */
  compacted: bigint;
  /** Of the latest write of a key without history. */
  unlogged: bigint;
  /** Rows of the change log. */
  logCount: bigint;
  /** Bytes of values in it. */
  logBytes: bigint;
  /** Whether it was closed in order. */
  isClosed: boolean;
}

export function loadState(database: DatabaseSync): State {
  const statement = database.prepare('SELECT * FROM state');
  statement.setReadBigInts(true);
  const row = statement.get() as Readonly<Record<string, bigint>>;
  return {
    revision: row['revision'] ?? 0n,
    ceiling: row['ceiling'] ?? 0n,
    compacted: row['compacted'] ?? 0n,
    unlogged: row['unlogged'] ?? 0n,
    logCount: row['log_count'] ?? 0n,
    logBytes: row['log_bytes'] ?? 0n,
    isClosed: row['is_closed'] === 1n,
  };
}

export function stateWriter(database: DatabaseSync): (state: State) => void {
  const statement = database.prepare(
    'UPDATE state SET revision = ?, ceiling = ?, compacted = ?, unlogged = ?, log_count = ?, log_bytes = ?, is_closed = ?',
  );
  return ({ revision, ceiling, compacted, unlogged, logCount, logBytes, isClosed }) =>
    void statement.run(revision, ceiling, compacted, unlogged, logCount, logBytes, isClosed ? 1 : 0);
}
