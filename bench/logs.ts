// `docker logs` of a container that has printed a million lines of 100 bytes, ours beside dockerd with json-file:
// `node bench/logs.ts [--rounds N]`.
import type { Contender } from './contender.ts';
import { measurePaired } from './paired.ts';

const defaultRounds = 5;
const line = 'x'.repeat(99);
const lines = 1_000_000;

const printed = new Set<string>();

/** Once: the container stays. */
async function prepare({ name, docker, dockerQuietly }: Contender): Promise<void> {
  if (printed.has(name)) return;
  printed.add(name);
  const options = ['--name', 'printed', '--log-driver', 'json-file', '--log-opt', 'max-size=1g'];
  await docker(['create', ...options, 'busybox', 'sh', '-c', `yes ${line} | head -n ${String(lines)}`]);
  await dockerQuietly(['start', '--attach', 'printed']);
}

await measurePaired(
  [
    {
      name: 'docker logs',
      prepare,
      run: ({ dockerQuietly }) => dockerQuietly(['logs', 'printed']),
    },
    {
      name: 'docker logs --timestamps',
      prepare,
      run: ({ dockerQuietly }) => dockerQuietly(['logs', '--timestamps', 'printed']),
    },
    {
      name: 'docker logs --tail 10',
      prepare,
      run: ({ dockerQuietly }) => dockerQuietly(['logs', '--tail', '10', 'printed']),
    },
  ],
  defaultRounds,
);
