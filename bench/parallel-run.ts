// 20 times `docker run -d`, at once and one after the other, ours beside dockerd: `node bench/parallel-run.ts [--rounds N]`.
import type { Contender } from './contender.ts';
import { measurePaired } from './paired.ts';

const containers = 20;
const defaultRounds = 5;
const names = Array.from({ length: containers }, (_, index) => `c${String(index)}`);

async function start({ docker, cpu }: Contender, name: string): Promise<void> {
  await docker(['run', '-d', '--name', name, '--cgroup-parent', cpu.name, 'busybox', 'sleep', '3600']);
}

async function clean({ docker }: Contender): Promise<void> {
  await docker(['rm', '-f', ...names]);
}

await measurePaired(
  [
    {
      name: `${String(containers)} docker run -d at once`,
      run: async (contender) => void (await Promise.all(names.map((name) => start(contender, name)))),
      clean,
    },
    {
      name: `${String(containers)} docker run -d one after the other`,
      run: async (contender) => {
        for (const name of names) await start(contender, name);
      },
      clean,
    },
  ],
  defaultRounds,
);
