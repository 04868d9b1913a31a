// What `./slipway test` runs: the check, the rendered documents, unused code, and the end-to-end tests one file after the
// other. The last line counts all tests.
import { checkParts } from './check-parts.ts';
import { countsLine, type Part, type PartResult, runPart, tool } from './run-part.ts';
import { endToEndTests } from './test-files.ts';

const minuteMs = 60_000;

const rest: readonly Part[] = [
  { name: 'docs', args: ['scripts/render-docs.ts', '--check'], limitMs: 2 * minuteMs },
  { name: 'unused', args: [tool('knip/bin/knip.js')], limitMs: 5 * minuteMs },
  {
    name: 'e2e',
    args: ['--test', '--test-reporter=spec', '--test-concurrency=1', '--test-timeout=900000', ...endToEndTests],
    limitMs: 40 * minuteMs,
    streams: true,
  },
];

const results: PartResult[] = [];
for (const part of [...checkParts, ...rest]) results.push(await runPart(part));
const sum = (of: (result: PartResult) => number): number => results.reduce((total, result) => total + of(result), 0);
// A part that fails without a failed test counts as one.
const lost = results.filter(({ ok, failed }) => !ok && failed === 0);
for (const { name } of lost) process.stdout.write(`part ${name} failed\n`);
const counts = {
  passed: sum(({ passed }) => passed),
  failed: sum(({ failed }) => failed) + lost.length,
  skipped: sum(({ skipped }) => skipped),
};
process.stdout.write(`${countsLine(counts)}\n`);
process.exitCode = counts.failed === 0 ? 0 : 1;
