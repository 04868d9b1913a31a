import {
  type Attribute,
  decodeAttributeList,
  decodeAttributes,
  encodeAttributes,
  nestedAttribute,
  readText,
  textAttribute,
} from '../netlink/attributes.ts';
import { messageFlags } from '../netlink/message.ts';
import { type NetlinkRequest, NetlinkSocket } from '../netlink/netlink-socket.ts';

/** Where a rule stands. */
export interface ChainName {
  readonly family: 'inet' | 'ip' | 'ip6';
  readonly table: string;
  readonly chain: string;
}

/** A chain of any owner; the last three only of base chains. */
export interface Chain extends ChainName {
  readonly hook: number | undefined;
  readonly policy: 'accept' | 'drop' | undefined;
  /** `filter`, `nat`, `route`. */
  readonly type: string;
}

/** As much of a rule as can be known without understanding all that it matches. */
export interface Rule {
  readonly handle: bigint;
  readonly comment: string;
  /** It matches every packet, and drops or refuses it. */
  readonly refusesAll: boolean;
}

/** Hook number of packets to this host (NF_INET_LOCAL_IN). */
export const inputHook = 1;
/** Hook number of forwarded packets (NF_INET_FORWARD). */
export const forwardHook = 2;

const subsystem = 10 << 8;
const messages = { getTable: 1, getChain: 4, addRule: 6, getRule: 7, removeRule: 8, getGeneration: 16 };
const batch = { begin: 16, end: 17 };
const families = { inet: 1, ip: 2, ip6: 10 } as const;
const tableName = 1;
const chainAttributes = { table: 1, name: 3, hook: 4, policy: 5, type: 7 };
const ruleAttributes = { table: 1, chain: 2, handle: 3, expressions: 4, userData: 7 };
const listElement = 1;
const expressionAttributes = { name: 1, data: 2 };
const commentType = 0;
const headerSizeBytes = 4;
const interfaceNameBytes = 16;
const verdicts = { drop: 0, accept: 1 };
/** The largest transaction: some ten thousand published ports. */
const transactionSizeBytes = 8 * 1024 * 1024;
/** Expressions that let every packet on to the next one. */
const passing: ReadonlySet<string> = new Set(['counter', 'log', 'limit', 'notrack']);

/**
 * The packet filter's own protocol (kernel: nf_tables_api.c, include/uapi/linux/netfilter/nf_tables.h), for looking at
 * chains of other programs: libnftables takes all there is apart to list it, and older versions of it crash on what newer
 * ones wrote.
 */
export function openFilterSocket(): NetlinkSocket {
  const netlinkNetfilter = 12;
  return new NetlinkSocket(netlinkNetfilter, transactionSizeBytes);
}

/** A number that changes with every change to the rules of this network namespace, whoever makes it. */
export function generationOf(socket: NetlinkSocket): number {
  const generationId = 1;
  const [answer] = socket.run({
    request: 'get generation',
    type: subsystem | messages.getGeneration,
    payload: header(0),
  });
  const value = decodeAttributes((answer ?? Buffer.alloc(headerSizeBytes)).subarray(headerSizeBytes)).get(generationId);
  return value !== undefined && value.length >= 4 ? value.readUInt32BE(0) : 0;
}

export function hasTable(socket: NetlinkSocket, family: ChainName['family'], name: string): boolean {
  const request = { request: 'list tables', type: subsystem | messages.getTable, payload: header(families[family]) };
  return socket
    .dump(request)
    .some((answer) => readText(decodeAttributes(answer.subarray(headerSizeBytes)).get(tableName)) === name);
}

/** The chains of the families that see IP packets. */
export function listChains(socket: NetlinkSocket): readonly Chain[] {
  return socket
    .dump({ request: 'list chains', type: subsystem | messages.getChain, payload: header(0) })
    .flatMap((answer) => decodeChain(answer) ?? []);
}

/** Empty also when there is no such chain (any more). */
export function listRules(socket: NetlinkSocket, place: ChainName): readonly Rule[] {
  return socket
    .dump({ request: 'list rules', type: subsystem | messages.getRule, payload: rulePayload(place, []) })
    .flatMap((answer) => decodeRule(answer) ?? []);
}

/** Undefined for a chain of another family, such as bridge or arp. */
export function decodeChain(payload: Buffer): Chain | undefined {
  const family = Object.entries(families).find(([, number]) => number === payload[0])?.[0];
  if (family === undefined) return undefined;
  const found = decodeAttributes(payload.subarray(headerSizeBytes));
  const hook = decodeAttributes(found.get(chainAttributes.hook) ?? new Uint8Array()).get(1);
  const policy = found.get(chainAttributes.policy);
  return {
    family: family as ChainName['family'],
    table: readText(found.get(chainAttributes.table)),
    chain: readText(found.get(chainAttributes.name)),
    hook: hook?.length === 4 ? hook.readUInt32BE(0) : undefined,
    policy: policy?.length === 4 ? (policy.readUInt32BE(0) === verdicts.drop ? 'drop' : 'accept') : undefined,
    type: readText(found.get(chainAttributes.type)),
  };
}

/** Undefined for what is no rule. */
export function decodeRule(payload: Buffer): Rule | undefined {
  const found = decodeAttributes(payload.subarray(headerSizeBytes));
  const handle = found.get(ruleAttributes.handle);
  if (handle?.length !== 8) return undefined;
  return {
    handle: handle.readBigUInt64BE(0),
    comment: readComment(found.get(ruleAttributes.userData) ?? Buffer.alloc(0)),
    refusesAll: refusesAll(found.get(ruleAttributes.expressions) ?? Buffer.alloc(0)),
  };
}

/** Accepts what comes in or goes out by an interface; `comment` at most 127 bytes. To be run in a batch. */
export function acceptingRule(
  place: ChainName,
  direction: 'iifname' | 'oifname',
  interfaceName: string,
  comment: string,
): NetlinkRequest {
  const [register, verdictRegister] = [1, 0];
  const keys = { iifname: 6, oifname: 7 };
  const name = Buffer.alloc(interfaceNameBytes);
  name.write(interfaceName);
  const text = Buffer.from(`${comment}\0`);
  const expressions = [
    expression('meta', [number(1, register), number(2, keys[direction])]),
    expression('cmp', [number(1, register), number(2, 0), nestedAttribute(3, [{ type: 1, value: name }])]),
    expression('counter', []),
    expression('immediate', [
      number(1, verdictRegister),
      nestedAttribute(2, [nestedAttribute(2, [number(1, verdicts.accept)])]),
    ]),
  ];
  return {
    request: `add rule to ${place.table} ${place.chain}`,
    type: subsystem | messages.addRule,
    flags: messageFlags.create,
    payload: rulePayload(place, [
      nestedAttribute(ruleAttributes.expressions, expressions),
      { type: ruleAttributes.userData, value: Buffer.concat([Buffer.of(commentType, text.length), text]) },
    ]),
  };
}

/** To be run in a batch. */
export function ruleRemoval(place: ChainName, handle: bigint): NetlinkRequest {
  const value = Buffer.alloc(8);
  value.writeBigUInt64BE(handle);
  return {
    request: `remove rule from ${place.table} ${place.chain}`,
    type: subsystem | messages.removeRule,
    payload: rulePayload(place, [{ type: ruleAttributes.handle, value }]),
  };
}

/** All of them or none. Throws NetlinkError ENOENT when a chain or rule is gone. */
export function changeRules(socket: NetlinkSocket, requests: readonly NetlinkRequest[]): void {
  const payload = header(0);
  payload.writeUInt16BE(subsystem >> 8, 2);
  const frame = (type: number): NetlinkRequest => ({ request: 'change rules', type, payload });
  socket.runBatch(frame(batch.begin), requests, frame(batch.end));
}

function refusesAll(expressions: Buffer): boolean {
  const names = decodeAttributeList(expressions).map(({ value }) => decodeAttributes(value));
  const last = names.findIndex((found) => !passing.has(readText(found.get(expressionAttributes.name))));
  const deciding = names[last];
  if (deciding === undefined || last !== names.length - 1) return false;
  const data = decodeAttributes(deciding.get(expressionAttributes.data) ?? new Uint8Array());
  const name = readText(deciding.get(expressionAttributes.name));
  if (name === 'reject') return true;
  // iptables writes its REJECT as a target of its own.
  if (name === 'target') return readText(data.get(1)) === 'REJECT';
  if (name !== 'immediate') return false;
  const verdict = decodeAttributes(decodeAttributes(data.get(2) ?? new Uint8Array()).get(2) ?? new Uint8Array()).get(1);
  return verdict?.length === 4 && verdict.readUInt32BE(0) === verdicts.drop;
}

/** User data is a list of `type:u8 length:u8 value`; type 0 is the comment. */
function readComment(bytes: Buffer): string {
  for (let offset = 0; offset + 2 <= bytes.length; offset += 2 + bytes.readUInt8(offset + 1)) {
    const value = bytes.subarray(offset + 2, offset + 2 + bytes.readUInt8(offset + 1));
    if (bytes.readUInt8(offset) === commentType) return readText(value);
  }
  return '';
}

function rulePayload({ family, table, chain }: ChainName, more: readonly Attribute[]): Buffer {
  const names = [textAttribute(ruleAttributes.table, table), textAttribute(ruleAttributes.chain, chain)];
  return Buffer.concat([header(families[family]), encodeAttributes([...names, ...more])]);
}

function expression(name: string, data: readonly Attribute[]): Attribute {
  return nestedAttribute(listElement, [
    textAttribute(expressionAttributes.name, name),
    nestedAttribute(expressionAttributes.data, data),
  ]);
}

/** Numbers of the packet filter are big-endian. */
function number(type: number, value: number): Attribute {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return { type, value: bytes };
}

/** struct nfgenmsg. */
function header(family: number): Buffer {
  const bytes = Buffer.alloc(headerSizeBytes);
  bytes.writeUInt8(family, 0);
  return bytes;
}
