import { type Part, tool } from './run-part.ts';
import { unitTests } from './test-files.ts';

const minuteMs = 60_000;

/** What `npm run check` runs, side by side. Limits are far above what a slow machine needs. */
export const checkParts: readonly Part[] = [
  { name: 'format', args: [tool('oxfmt/bin/oxfmt'), '--check', '.'], limitMs: 5 * minuteMs },
  { name: 'lint', args: [tool('oxlint/bin/oxlint'), '--type-aware', '--deny-warnings'], limitMs: 5 * minuteMs },
  { name: 'types', args: [tool('typescript/bin/tsc'), '--noEmit'], limitMs: 5 * minuteMs },
  ...Object.entries(unitTests).map(([name, patterns]) => ({
    name,
    args: ['--test', '--test-reporter=spec', '--test-isolation=none', '--test-timeout=120000', ...patterns],
    limitMs: 6 * minuteMs,
  })),
];
