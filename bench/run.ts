// Runs all benchmarks one after the other, or those named: `npm run bench [-- run-rm unpack]`.
import { spawn } from 'node:child_process';
import { join } from 'node:path';

const benchmarks = [
  'run-rm',
  'parallel-run',
  'exec-stop-start',
  'logs',
  'memory',
  'build',
  'unpack',
  'pull',
  'ports',
  'store',
  'apiserver',
  'heartbeats',
] as const;

const wanted = process.argv.slice(2);
const unknown = wanted.find((name) => !benchmarks.some((one) => one === name));
if (unknown === undefined) {
  for (const name of benchmarks.filter((one) => wanted.length === 0 || wanted.includes(one)))
    if ((await run(name)) !== 0) process.exitCode = 1;
} else {
  console.error(`Cannot run benchmark "${unknown}": there are ${benchmarks.join(', ')}`);
  process.exitCode = 2;
}

async function run(name: string): Promise<number> {
  console.log(`\n== ${name}`);
  const child = spawn(process.execPath, [join(import.meta.dirname, `${name}.ts`)], { stdio: 'inherit' });
  return new Promise((resolve) => child.once('exit', (code) => resolve(code ?? 1)));
}
