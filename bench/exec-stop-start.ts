// `docker exec`, `stop -t 0` and `start` of a container on the default bridge, ours beside dockerd:
// `node bench/exec-stop-start.ts [--rounds N]`.
import type { Contender } from './contender.ts';
import { measurePaired } from './paired.ts';

const defaultRounds = 20;

async function prepare({ docker, cpu }: Contender): Promise<void> {
  await docker(['run', '-d', '--name', 'one', '--cgroup-parent', cpu.name, 'busybox', 'sleep', '3600']);
}

async function clean({ docker }: Contender): Promise<void> {
  await docker(['rm', '-f', 'one']);
}

await measurePaired(
  [
    {
      name: 'docker exec one true',
      prepare,
      run: async ({ docker }) => void (await docker(['exec', 'one', '/bin/true'])),
      clean,
    },
    {
      name: 'docker stop -t 0',
      prepare,
      run: async ({ docker }) => void (await docker(['stop', '-t', '0', 'one'])),
      clean,
    },
    {
      name: 'docker start',
      prepare: async (contender) => {
        await prepare(contender);
        await contender.docker(['stop', '-t', '0', 'one']);
      },
      run: async ({ docker }) => void (await docker(['start', 'one'])),
      clean,
    },
  ],
  defaultRounds,
);
