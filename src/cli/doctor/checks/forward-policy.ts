import type { Check } from '../check.ts';

/**
 * An accept in one table does not overrule a drop in another (nft(8), "verdict statements"), so a firewall that drops
 * forwarded packets by policy cuts containers off unless it lets them through itself.
 */
export const forwardPolicy: Check = {
  name: 'forward policy',
  run: (host) => {
    const chains = host.chains();
    if ('error' in chains) return { state: 'warn', text: 'not known, since nftables does not work' };
    const dropping = chains.filter((chain) => chain.hook === 'forward' && chain.policy === 'drop');
    const foreign = dropping.filter((chain) => !chain.table.startsWith('slipway'));
    if (foreign.length === 0)
      return { state: 'ok', text: 'no firewall of this machine drops forwarded packets by policy' };
    const [first] = foreign;
    const names = foreign.map(({ family, table, name }) => `${family} ${table} ${name}`).join(', ');
    return {
      state: 'warn',
      text: `${names} drops forwarded packets by policy; containers are cut off unless it accepts them`,
      fix: `nft insert rule ${first?.family ?? ''} ${first?.table ?? ''} ${first?.name ?? ''} ct state established,related accept`,
    };
  },
};
