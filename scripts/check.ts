// The whole of `npm run check`: format, lint, types, unit tests with the architecture, side by side. Prints one line per
// part, and the output of those that fail.
import { checkParts } from './check-parts.ts';
import { runPart } from './run-part.ts';

const results = await Promise.all(checkParts.map(runPart));
process.exitCode = results.every(({ ok }) => ok) ? 0 : 1;
