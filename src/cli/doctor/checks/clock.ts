import type { Check } from '../check.ts';

/** The year of this source; no right clock is before it. */
const earliestMs = Date.UTC(2026, 0, 1);

export const clock: Check = {
  name: 'clock',
  run: (host) => {
    const text = `the clock says ${new Date(host.nowMs).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
    if (host.nowMs >= earliestMs) return { state: 'ok', text };
    return {
      state: 'fail',
      text: `${text}, which is in the past: certificates of registries and mirrors will not be trusted`,
      fix: 'apt-get install systemd-timesyncd && timedatectl set-ntp true',
    };
  },
};
