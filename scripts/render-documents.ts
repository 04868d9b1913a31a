import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { hasCode } from '#sys/errno.ts';

import { repository } from './run-part.ts';

/** A file whose text follows from the code. */
export interface RenderedDocument {
  /** Below the repository. */
  readonly path: string;
  render(): string | Promise<string>;
}

/**
 * Writes the documents that are not what the code says, or with `--check` only names them. Returns the exit code: 1 when
 * a check finds stale ones, 2 for unknown arguments.
 */
export async function renderDocuments(
  documents: readonly RenderedDocument[],
  args: readonly string[],
): Promise<number> {
  const unknown = args.find((arg) => arg !== '--check');
  if (unknown !== undefined) {
    process.stderr.write(`Cannot take the argument "${unknown}": only --check is known\n`);
    return 2;
  }
  const checks = args.includes('--check');
  let stale = 0;
  for (const document of documents) {
    const { path } = document;
    const file = join(repository, path);
    const text = await document.render();
    if (textOf(file) === text) continue;
    stale += 1;
    process.stdout.write(checks ? `${path} is stale; run npm run docs and commit it\n` : `wrote ${path}\n`);
    if (checks) continue;
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  return checks && stale > 0 ? 1 : 0;
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}
