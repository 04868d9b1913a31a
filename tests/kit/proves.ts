import type { TestOptions } from 'node:test';

/**
 * Marks a test as the proof of rows of docs/docker-compatibility.md, which is rendered from these marks:
 * `test('...', proves('docker network create --subnet', 'POST /networks/create'), async () => ...)`. Braces stand for
 * several: `docker {run,create} --ip`. The test's text must say each flag. Rows of tables say it by a field `proves`,
 * and the table's test has the row's text as its name. Write literals: the marks are read, not run.
 */
export function proves(..._subjects: readonly string[]): TestOptions {
  return {};
}

/** The same for what is refused with a sentence, which the row shows. */
export function refuses(_sentence: string, ..._subjects: readonly string[]): TestOptions {
  return {};
}
