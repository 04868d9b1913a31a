import { isObject } from '#base/json.ts';

/** A packet that would begin a connection from another machine. */
export interface Knock {
  readonly family: 4 | 6;
  readonly protocol: string;
  readonly port: number;
}

/**
 * What the host's input rules do with a packet. `isSure` is false when a rule that we cannot read might decide otherwise.
 */
export interface InputVerdict {
  readonly letsIn: boolean;
  readonly isSure: boolean;
}

type Json = Readonly<Record<string, unknown>>;
type Answer = 'yes' | 'no' | 'unknown';
type Decision = 'accept' | 'drop' | 'none';

const deepestJump = 16;
const newConnection = 'new';

interface Chains {
  readonly rules: ReadonlyMap<string, readonly Json[]>;
  readonly bases: readonly Json[];
}

/**
 * Follows a packet through the base chains of the input hook (libnftables-json(5)). Undefined when there are none: the host
 * has no firewall for what comes to it. Rules with expressions that are not read count as not matching, and make it unsure
 * if they would decide.
 */
export function inputVerdict(objects: readonly unknown[], knock: Knock): InputVerdict | undefined {
  const chains = collect(objects);
  const bases = chains.bases.filter(
    ({ family }) => family === 'inet' || family === (knock.family === 4 ? 'ip' : 'ip6'),
  );
  if (bases.length === 0) return undefined;
  const verdicts = bases.map((base) => {
    const walk = new Walk(chains, base, knock);
    const decision = walk.through(String(base['name']));
    const letsIn = decision === 'none' ? base['policy'] !== 'drop' : decision === 'accept';
    return { letsIn, isSure: !walk.couldDecide.has(letsIn ? 'drop' : 'accept') };
  });
  const letsIn = verdicts.every((one) => one.letsIn);
  // One sure refusal decides for all.
  const isSure = letsIn ? verdicts.every((one) => one.isSure) : verdicts.some((one) => !one.letsIn && one.isSure);
  return { letsIn, isSure };
}

/** A packet's way through the chains of one table. */
class Walk {
  /** What rules would have decided that could not be read. */
  readonly couldDecide = new Set<Decision>();
  readonly #chains: Chains;
  readonly #base: Json;
  readonly #knock: Knock;

  constructor(chains: Chains, base: Json, knock: Knock) {
    this.#chains = chains;
    this.#base = base;
    this.#knock = knock;
  }

  through(chain: string, isUnsure = false, depth = 0): Decision {
    if (depth > deepestJump) return 'none';
    for (const rule of this.#chains.rules.get(keyOf(this.#base, chain)) ?? []) {
      const statements = Array.isArray(rule['expr']) ? rule['expr'].filter(isObject) : [];
      const matches = statements.map((statement) => matching(statement, this.#knock));
      if (matches.includes('no')) continue;
      const isRead = !matches.includes('unknown') && !isUnsure;
      const decision = this.#verdict(statements, isRead, depth);
      if (decision === 'return') return 'none';
      if (decision === undefined || decision === 'none') continue;
      if (isRead) return decision;
      this.couldDecide.add(decision);
    }
    return 'none';
  }

  #verdict(statements: readonly Json[], isRead: boolean, depth: number): Decision | 'return' | undefined {
    for (const statement of statements) {
      if ('accept' in statement) return 'accept';
      if ('drop' in statement || 'reject' in statement) return 'drop';
      if ('return' in statement) return isRead ? 'return' : undefined;
      const { jump, goto } = statement;
      if (isObject(jump)) return this.through(String(jump['target']), !isRead, depth + 1);
      if (isObject(goto)) {
        const decision = this.through(String(goto['target']), !isRead, depth + 1);
        return decision === 'none' && isRead ? 'return' : decision;
      }
      if (isObject(statement['xt']) && statement['xt']['type'] === 'target') {
        return ['REJECT', 'DROP'].includes(String(statement['xt']['name'])) ? 'drop' : undefined;
      }
    }
    return undefined;
  }
}

function collect(objects: readonly unknown[]): Chains {
  const rules = new Map<string, Json[]>();
  const bases: Json[] = [];
  for (const object of objects.filter(isObject)) {
    const { chain, rule } = object;
    if (isObject(chain) && chain['hook'] === 'input' && chain['type'] === 'filter') bases.push(chain);
    if (!isObject(rule)) continue;
    const key = keyOf(rule, String(rule['chain']));
    rules.set(key, [...(rules.get(key) ?? []), rule]);
  }
  return { rules, bases };
}

function keyOf(of: Json, chain: string): string {
  return [of['family'], of['table'], chain].join(' ');
}

/** Whether a statement lets the packet on to the next one of its rule. */
function matching(statement: Json, knock: Knock): Answer {
  const { match, xt } = statement;
  if (isObject(xt)) return xt['type'] === 'match' ? 'unknown' : 'yes';
  if (!isObject(match)) return 'vmap' in statement || 'lookup' in statement ? 'unknown' : 'yes';
  const { left, right, op } = match;
  if (!isObject(left)) return 'unknown';
  const answer = compare(left, right, knock);
  if (answer === 'unknown' || op !== '!=') return answer;
  return answer === 'yes' ? 'no' : 'yes';
}

function compare(left: Json, right: unknown, knock: Knock): Answer {
  const { meta, payload, ct } = left;
  const family = knock.family === 4 ? 'ip' : 'ip6';
  if (isObject(meta)) {
    switch (meta['key']) {
      case 'iifname':
      case 'iif':
        return right === 'lo' ? 'no' : 'unknown';
      case 'l4proto':
        return contains(right, knock.protocol);
      case 'nfproto':
        return contains(right, knock.family === 4 ? 'ipv4' : 'ipv6');
      default:
        return 'unknown';
    }
  }
  if (isObject(payload)) {
    const { protocol, field } = payload;
    if (['tcp', 'udp', 'sctp', 'th'].includes(String(protocol))) {
      if (protocol !== 'th' && protocol !== knock.protocol) return 'no';
      return field === 'dport' ? contains(right, knock.port) : 'unknown';
    }
    if (protocol === 'icmp' || protocol === 'icmpv6') return 'no';
    if ((protocol === 'ip' || protocol === 'ip6') && protocol !== family) return 'no';
    if (field === 'protocol' || field === 'nexthdr') return contains(right, knock.protocol);
    return 'unknown';
  }
  if (isObject(ct) && ct['key'] === 'state') return contains(right, newConnection);
  if (isObject(ct) && ct['key'] === 'status') return 'no';
  return 'unknown';
}

/** Whether a value, set, range or list holds a number or word. */
function contains(right: unknown, wanted: string | number): Answer {
  if (Array.isArray(right)) return anyOf(right.map((one) => contains(one, wanted)));
  if (isObject(right)) {
    const { set, range } = right;
    if (Array.isArray(set)) return anyOf(set.map((one) => contains(one, wanted)));
    if (!Array.isArray(range) || typeof wanted !== 'number') return 'unknown';
    return wanted >= Number(range[0]) && wanted <= Number(range[1]) ? 'yes' : 'no';
  }
  if (typeof right === 'string' && right.startsWith('@')) return 'unknown';
  return right === wanted ? 'yes' : 'no';
}

function anyOf(answers: readonly Answer[]): Answer {
  if (answers.includes('yes')) return 'yes';
  return answers.includes('unknown') ? 'unknown' : 'no';
}
