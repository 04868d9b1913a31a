import type { Check } from '../check.ts';

const need = 4096;

export const openFiles: Check = {
  name: 'open files',
  run: (host) => {
    const hard = /^Max open files\s+\S+\s+(\S+)/m.exec(host.read('/proc/self/limits') ?? '')?.[1] ?? '0';
    const limit = hard === 'unlimited' ? Infinity : Number(hard);
    if (limit >= need) return { state: 'ok', text: `up to ${hard} open files` };
    return { state: 'warn', text: `only ${hard} open files are allowed`, fix: `ulimit -n ${String(need)}` };
  },
};
