import type { Check } from '../check.ts';

/** Debian 11's; below it overlayfs and cgroups lack what the engine uses. */
const oldest = [5, 10] as const;

export const kernelVersion: Check = {
  name: 'kernel version',
  run: (host) => {
    const release = host.read('/proc/sys/kernel/osrelease')?.trim() ?? 'unknown';
    const [, major = '0', minor = '0'] = /^(\d+)\.(\d+)/.exec(release) ?? [];
    const enough = Number(major) > oldest[0] || (Number(major) === oldest[0] && Number(minor) >= oldest[1]);
    if (enough) return { state: 'ok', text: `Linux ${release}` };
    return {
      state: 'fail',
      text: `Linux ${release} is older than ${oldest.join('.')}`,
      fix: 'apt-get install linux-image-amd64 && reboot',
    };
  },
};
