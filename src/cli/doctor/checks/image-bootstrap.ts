import type { Check } from '../check.ts';

export const imageBootstrap: Check = {
  name: 'debootstrap',
  run: (host) => {
    if (host.hasProgram('debootstrap')) return { state: 'ok', text: 'debootstrap is there' };
    const text = 'debootstrap, by which slipway image bootstrap makes base images, is not installed';
    return { state: 'warn', text, fix: 'apt-get install debootstrap' };
  },
};
