// What `./slipway test` runs: the check, the rendered documents, unused code, and the end-to-end tests, a file at a time in
// each of two rows. The last line counts all tests.
import { globSync } from 'node:fs';

import { checkParts } from './check-parts.ts';
import { countsLine, type Part, type PartResult, repository, runPart, tool } from './run-part.ts';
import { endToEndTests } from './test-files.ts';

const minuteMs = 60_000;

const rest: readonly Part[] = [
  { name: 'docs', args: ['scripts/render-docs.ts', '--check'], limitMs: 2 * minuteMs },
  { name: 'unused', args: [tool('knip/bin/knip.js')], limitMs: 5 * minuteMs },
];

/**
 * Rooms whose end-to-end tests touch nothing of the machine that others look at: they run beside the rest, so that two
 * processors have work.
 */
const roomsBeside = [
  'agent',
  'build',
  'buildkit',
  'control',
  'images',
  'kube-codec',
  'kubernetes',
  'logs',
  'pki',
  'registry',
  'remote',
  'store',
];

/** A part per file: one that hangs is named, and does not keep the others from their turn. */
const endToEnd: readonly Part[] = endToEndTests
  .flatMap((pattern) => globSync(pattern, { cwd: repository }))
  .toSorted()
  .map((path) => ({
    name: path,
    args: ['--test', '--test-reporter=spec', '--test-timeout=1200000', path],
    limitMs: 25 * minuteMs,
  }));

const isBeside = ({ name }: Part): boolean => roomsBeside.includes(name.split('/')[2] ?? '');
const results: PartResult[] = [];
const runAll = async (parts: readonly Part[]): Promise<void> => {
  for (const part of parts) results.push(await runPart(part));
};
await Promise.all([
  runAll(endToEnd.filter((part) => !isBeside(part))),
  runAll([...checkParts, ...rest, ...endToEnd.filter(isBeside)]),
]);
const sum = (of: (result: PartResult) => number): number => results.reduce((total, result) => total + of(result), 0);
// A part that fails without a failed test counts as one.
const lost = results.filter(({ ok, failed }) => !ok && failed === 0);
for (const { name, ok } of results) if (!ok) process.stdout.write(`failed: ${name}\n`);
const counts = {
  passed: sum(({ passed }) => passed),
  failed: sum(({ failed }) => failed) + lost.length,
  skipped: sum(({ skipped }) => skipped),
};
process.stdout.write(`${countsLine(counts)}\n`);
process.exitCode = counts.failed === 0 ? 0 : 1;
