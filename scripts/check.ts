// The whole of `npm run check`: format, lint, types, unit tests with the architecture, side by side. Prints one line per
// part, and the output of those that fail.
import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';

import { monotonicMs } from '#base/clock.ts';

import { unitTests } from './test-files.ts';

const repository = dirname(import.meta.dirname);

interface Part {
  readonly name: string;
  readonly args: readonly string[];
}

const tool = (path: string): string => join(repository, 'node_modules', path);

const parts: readonly Part[] = [
  { name: 'format', args: [tool('oxfmt/bin/oxfmt'), '--check', '.'] },
  { name: 'lint', args: [tool('oxlint/bin/oxlint'), '--type-aware', '--deny-warnings'] },
  { name: 'types', args: [tool('typescript/bin/tsc'), '--noEmit'] },
  { name: 'unit', args: ['--test', '--test-isolation=none', '--test-timeout=60000', ...unitTests] },
];

const results = await Promise.all(parts.map(run));
process.exitCode = results.every(Boolean) ? 0 : 1;

async function run(part: Part): Promise<boolean> {
  const startMs = monotonicMs();
  const child = spawn(process.execPath, part.args, { cwd: repository, stdio: ['ignore', 'pipe', 'pipe'] });
  const output: Buffer[] = [];
  child.stdout.on('data', (bytes: Buffer) => output.push(bytes));
  child.stderr.on('data', (bytes: Buffer) => output.push(bytes));
  const code = await new Promise<number | null>((resolve) => {
    child.once('close', resolve);
    child.once('error', () => resolve(null));
  });
  const text = Buffer.concat(output).toString();
  const seconds = ((monotonicMs() - startMs) / 1000).toFixed(1);
  if (code !== 0) process.stdout.write(`${text.trimEnd()}\n`);
  process.stdout.write(`${code === 0 ? 'ok    ' : 'FAILED'}  ${part.name.padEnd(6)}  ${seconds} s${summary(text)}\n`);
  return code === 0;
}

/** `  123 passed, 0 failed` of node's test summary. */
function summary(text: string): string {
  const count = (word: string): string | undefined => new RegExp(`^ℹ ${word} (\\d+)$`, 'm').exec(text)?.[1];
  const passed = count('pass');
  return passed === undefined ? '' : `  ${passed} passed, ${count('fail') ?? '?'} failed`;
}
