// `docker run --rm busybox /bin/true` on the default bridge, ours beside dockerd: `node bench/run-rm.ts [--rounds N]`.
import { measurePaired } from './paired.ts';

const defaultRounds = 20;

await measurePaired(
  [
    {
      name: 'docker run --rm busybox /bin/true',
      run: async ({ docker, cpu }) =>
        void (await docker(['run', '--rm', '--cgroup-parent', cpu.name, 'busybox', '/bin/true'])),
    },
  ],
  defaultRounds,
);
