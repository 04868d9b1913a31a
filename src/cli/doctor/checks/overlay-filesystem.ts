import type { Check } from '../check.ts';

export const overlayFilesystem: Check = {
  name: 'overlay filesystem',
  run: (host) => {
    const error = host.tryOverlay();
    if (error === undefined) return { state: 'ok', text: `overlayfs works on ${host.paths.data}` };
    const known = /^nodev\s+overlay$/m.test(host.read('/proc/filesystems') ?? '');
    return {
      state: 'fail',
      text: known
        ? `overlayfs does not work on the filesystem of ${host.paths.data}: ${error}`
        : 'the kernel does not know overlayfs',
      fix: known ? 'slipway --root DIR up, with DIR on ext4, xfs or btrfs' : 'modprobe overlay',
    };
  },
};
