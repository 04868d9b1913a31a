import type { NetlinkSocket } from '#sys/netlink/netlink-socket.ts';
import {
  acceptingRule,
  type Chain,
  type ChainName,
  changeRules,
  forwardHook,
  listChains,
  listRules,
  type Rule,
  ruleRemoval,
} from '#sys/nft/rules.ts';

/** A forward chain with its rules. */
export interface ForwardChain extends Chain {
  readonly rules: readonly Rule[];
}

/**
 * Puts one pair of accepting rules per bridge at the top of each foreign chain that would drop forwarded packets, and
 * takes away those of bridges that are no more. A verdict of our own table cannot do it: a packet has to be accepted by
 * every chain of the hook. Idempotent. With no bridges, takes all away. Throws NetlinkError when a chain cannot be changed,
 * because somebody does at this moment or allows nobody to; the other chains are changed all the same.
 */
export function updateHostFirewall(socket: NetlinkSocket, owner: string, bridgeNames: readonly string[]): void {
  const chains = listChains(socket).filter((chain) => chain.table !== owner && isPlace(chain));
  const places = chains.map((chain) => ({ ...chain, rules: listRules(socket, chain) }));
  const refusing = bridgeNames.length === 0 ? [] : refusingChains(places);
  const failures: unknown[] = [];
  for (const place of places) {
    const wanted = refusing.some((chain) => isSame(chain, place)) ? bridgeNames : [];
    const changes = changesOf(place, owner, wanted);
    try {
      if (changes.length > 0) changeRules(socket, changes);
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}

/**
 * The chains that get our rules: those of the forward hook whose policy is to drop (ufw, Docker) or whose last rule refuses
 * the rest (firewalld). Docker's FORWARD is replaced by its DOCKER-USER, which is called first and which Docker leaves alone.
 */
export function refusingChains(chains: readonly ForwardChain[]): readonly ChainName[] {
  return chains
    .filter(
      ({ hook, policy, rules }) => hook === forwardHook && (policy === 'drop' || rules.at(-1)?.refusesAll === true),
    )
    .map((chain) => {
      const user = { ...chain, chain: dockerUserChain };
      return chain.chain === 'FORWARD' && chains.some((other) => isSame(other, user)) ? user : chain;
    });
}

const dockerUserChain = 'DOCKER-USER';

/** Where rules of ours are or may still be from earlier. */
function isPlace({ hook, type, chain }: Chain): boolean {
  return (hook === forwardHook && type === 'filter') || chain === dockerUserChain;
}

function changesOf(
  place: ForwardChain,
  owner: string,
  bridgeNames: readonly string[],
): Parameters<typeof changeRules>[1] {
  const missing = new Map<string, Parameters<typeof acceptingRule>>();
  for (const bridge of bridgeNames) {
    for (const [word, direction] of [
      ['from', 'iifname'],
      ['to', 'oifname'],
    ] as const) {
      const comment = `${owner}: ${word} ${bridge}`;
      missing.set(comment, [place, direction, bridge, comment]);
    }
  }
  const own = place.rules.filter(({ comment }) => comment.startsWith(`${owner}: `));
  const removals = own
    .filter(({ comment }) => !missing.delete(comment))
    .map(({ handle }) => ruleRemoval(place, handle));
  return [...removals, ...Array.from(missing.values(), (rule) => acceptingRule(...rule))];
}

function isSame(one: ChainName, other: ChainName): boolean {
  return one.family === other.family && one.table === other.table && one.chain === other.chain;
}
