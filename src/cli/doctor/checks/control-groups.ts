import type { Check } from '../check.ts';

const wanted = ['cpu', 'memory', 'pids'] as const;

export const controlGroups: Check = {
  name: 'control groups',
  run: (host) => {
    const unified = host.read('/sys/fs/cgroup/cgroup.controllers');
    const has = (name: string): boolean =>
      unified === undefined ? host.exists(`/sys/fs/cgroup/${name}/tasks`) : unified.trim().split(' ').includes(name);
    const version = unified === undefined ? 'v1' : 'v2';
    const missing = wanted.filter((name) => !has(name));
    if (missing.length === 0) return { state: 'ok', text: `cgroup ${version} with ${wanted.join(', ')}` };
    const all = missing.length === wanted.length;
    return {
      state: all ? 'fail' : 'warn',
      text: all ? 'no cgroup controllers are mounted' : `cgroup ${version} has no controller ${missing.join(', ')}`,
      fix: all
        ? 'mount -t cgroup2 none /sys/fs/cgroup'
        : `add cgroup_enable=${missing.join(',')} to the kernel's command line and reboot`,
    };
  },
};
