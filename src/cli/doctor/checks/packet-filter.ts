import type { Check } from '../check.ts';

export const packetFilter: Check = {
  name: 'nftables',
  run: (host) => {
    const chains = host.chains();
    if (!('error' in chains)) return { state: 'ok', text: `nftables answers, ${String(chains.length)} chains` };
    return {
      state: 'fail',
      text: `nftables does not work, so there is no NAT and no published port: ${chains.error}`,
      fix: 'apt-get install libnftables1 && modprobe nf_tables',
    };
  },
};
