import type { Nft, NftObject } from '#sys/nft/nft.ts';

/** A chain of somebody else through which forwarded packets must pass, and where our exceptions go. */
export interface ForeignChain {
  readonly family: string;
  readonly table: string;
  readonly chain: string;
}

interface Exception {
  readonly comment: string;
  readonly match: string;
}

/**
 * Puts one pair of accepting rules per bridge at the top of each foreign chain that would drop forwarded packets, and
 * takes away those of bridges that are no more. A verdict of our own table cannot do it: a packet has to be accepted by
 * every chain of the hook. Idempotent. With no bridges, takes all away.
 */
export function updateHostFirewall(nft: Nft, owner: string, bridgeNames: readonly string[]): void {
  const wanted = bridgeNames.flatMap((bridge) => exceptions(owner, bridge));
  const chains = nft.list('list chains');
  const dropping = bridgeNames.length === 0 ? [] : droppingChains(chains, owner);
  const commands: string[] = [];
  for (const place of possiblePlaces(chains, dropping)) {
    const found = ownRules(nft, place, owner);
    const needed = dropping.some((chain) => isSame(chain, place)) ? wanted : [];
    const comments = new Set(needed.map(({ comment }) => comment));
    const name = `${place.family} ${place.table} ${place.chain}`;
    for (const rule of found) {
      if (!comments.delete(rule.comment)) commands.push(`delete rule ${name} handle ${String(rule.handle)}`);
    }
    for (const { comment, match } of needed) {
      if (comments.has(comment)) commands.push(`insert rule ${name} ${match} counter accept comment "${comment}"`);
    }
  }
  if (commands.length > 0) nft.run(commands.join('\n'));
}

/**
 * Base chains of others in the forward hook whose policy is to drop. Docker's FORWARD is replaced by its DOCKER-USER,
 * which is called first and which Docker leaves alone.
 */
export function droppingChains(chains: readonly NftObject[], owner: string): readonly ForeignChain[] {
  const all = chains.map(({ chain }) => chain as NftObject | undefined).filter((chain) => chain !== undefined);
  return all
    .filter(
      ({ family, table, hook, policy, type }) =>
        ['ip', 'ip6', 'inet'].includes(String(family)) &&
        type === 'filter' &&
        hook === 'forward' &&
        policy === 'drop' &&
        table !== owner,
    )
    .map(({ family, table, name }) => {
      const isUserChain = (chain: NftObject): boolean =>
        chain['family'] === family && chain['table'] === table && chain['name'] === dockerUserChain;
      const chain = name === 'FORWARD' && all.some(isUserChain) ? dockerUserChain : String(name);
      return { family: String(family), table: String(table), chain };
    });
}

const dockerUserChain = 'DOCKER-USER';

/** Where rules of ours are or may still be from earlier: the dropping chains, and forward chains that drop no more. */
function possiblePlaces(chains: readonly NftObject[], dropping: readonly ForeignChain[]): readonly ForeignChain[] {
  const usual = chains
    .map(({ chain }) => chain as NftObject | undefined)
    .filter((chain) => chain?.['hook'] === 'forward' || chain?.['name'] === dockerUserChain)
    .map((chain) => ({
      family: String(chain?.['family']),
      table: String(chain?.['table']),
      chain: String(chain?.['name']),
    }))
    .filter(({ family }) => ['ip', 'ip6', 'inet'].includes(family));
  return [...dropping, ...usual.filter((place) => !dropping.some((chain) => isSame(chain, place)))];
}

function exceptions(owner: string, bridge: string): readonly Exception[] {
  // Only expressions that iptables can read too, where the chain is one of iptables-nft.
  return [
    { comment: `${owner}: from ${bridge}`, match: `iifname "${bridge}"` },
    { comment: `${owner}: to ${bridge}`, match: `oifname "${bridge}"` },
  ];
}

function ownRules(nft: Nft, place: ForeignChain, owner: string): { comment: string; handle: number }[] {
  return nft
    .list(`list chain ${place.family} ${place.table} ${place.chain}`)
    .map(({ rule }) => rule as { readonly comment?: string; readonly handle?: number } | undefined)
    .flatMap((rule) =>
      rule?.comment?.startsWith(`${owner}: `) === true && rule.handle !== undefined
        ? [{ comment: rule.comment, handle: rule.handle }]
        : [],
    );
}

function isSame(one: ForeignChain, other: ForeignChain): boolean {
  return one.family === other.family && one.table === other.table && one.chain === other.chain;
}
