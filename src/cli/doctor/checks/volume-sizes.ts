import type { Check } from '../check.ts';

export const volumeSizes: Check = {
  name: 'mkfs.ext4',
  run: (host) => {
    if (host.hasProgram('mkfs.ext4')) return { state: 'ok', text: 'mkfs.ext4 is there' };
    const text = 'mkfs.ext4, which volumes with a size need, is not installed';
    return { state: 'warn', text, fix: 'apt-get install e2fsprogs' };
  },
};
