import type { Check } from '../check.ts';

export const ipForwarding: Check = {
  name: 'IP forwarding',
  run: (host) => {
    if (host.read('/proc/sys/net/ipv4/ip_forward')?.trim() === '1')
      return { state: 'ok', text: 'IPv4 forwarding is on' };
    return {
      state: 'warn',
      text: 'IPv4 forwarding is off: containers reach nothing outside, and published ports do not work from outside',
      fix: 'echo net.ipv4.ip_forward=1 > /etc/sysctl.d/slipway.conf && sysctl --system',
    };
  },
};
