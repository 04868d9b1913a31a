import { type Answer, decode, encode, RECURSION_AVAILABLE, RECURSION_DESIRED, TRUNCATED_RESPONSE } from 'dns-packet';

import { randomBelow } from '#base/ids.ts';

import { addressOfReverseName } from './reverse-name.ts';

/** The names that one container can look up. */
export interface NameZone {
  /** Addresses of a name in lower case, without a final dot; undefined for a name that is not ours. */
  addresses(name: string): readonly string[] | undefined;
  /** The name of an address that is ours. */
  pointer(address: string): string | undefined;
}

/** What to do with a packet: reply with bytes, ask other servers, or (undefined) nothing since it is no query. */
export type Decision = { readonly kind: 'reply'; readonly bytes: Buffer } | { readonly kind: 'forward' };

/** Response codes of RFC 1035 section 4.1.1. */
export const responseCodes = { formatError: 1, serverFailure: 2, notImplemented: 4 } as const;

/** As Docker's answers have it; short-lived caches inside the container follow a moved name within ten minutes. */
const ttlSeconds = 600;
/** More addresses of one name are left out. */
const maximumAnswers = 1_000;
const headerSizeBytes = 12;
const responseBit = 0x8000;
const plainUdpSizeBytes = 512;

/** Decides about a packet from a container. Never throws, whatever the bytes are. */
export function decide(query: Buffer, zone: NameZone, transport: 'udp' | 'tcp'): Decision | undefined {
  if (query.length < headerSizeBytes || (query.readUInt16BE(2) & responseBit) !== 0) return undefined;
  const opcode = (query.readUInt16BE(2) >> 11) & 0xf;
  if (opcode !== 0) return { kind: 'reply', bytes: errorReply(query, responseCodes.notImplemented) };
  const question = readQuestion(query);
  if (question === undefined) return { kind: 'reply', bytes: errorReply(query, responseCodes.formatError) };
  if (question.class !== 'IN') return { kind: 'forward' };
  const answers = lookUp(question, zone);
  if (answers === undefined) return { kind: 'forward' };
  const limitBytes = transport === 'tcp' ? 0xffff : udpLimitBytes(query);
  return { kind: 'reply', bytes: answerReply(query, question, answers, limitBytes) };
}

/** A reply without answers, with the question of the query as it came, since resolvers compare it. */
export function errorReply(query: Buffer, responseCode: number): Buffer {
  const end = questionEnd(query);
  const reply = Buffer.from(query.subarray(0, end ?? headerSizeBytes));
  const opcodeAndDesired = query.readUInt16BE(2) & 0x7900;
  reply.writeUInt16BE(responseBit | opcodeAndDesired | RECURSION_AVAILABLE | responseCode, 2);
  reply.writeUInt16BE(end === undefined ? 0 : 1, 4);
  reply.fill(0, 6, headerSizeBytes);
  return reply;
}

type Question = { readonly name: string; readonly type: string; readonly class: string };

function lookUp({ name, type }: Question, zone: NameZone): readonly Answer[] | undefined {
  const lower = name.toLowerCase().replace(/\.$/, '');
  const reverse = type === 'PTR' ? addressOfReverseName(lower) : undefined;
  if (reverse !== undefined) {
    const pointer = zone.pointer(reverse);
    return pointer === undefined ? undefined : [{ name, type: 'PTR', ttl: ttlSeconds, data: pointer }];
  }
  const addresses = zone.addresses(lower)?.slice(0, maximumAnswers);
  if (addresses === undefined) return undefined;
  // A name of ours without such records is NOERROR and empty, so that resolvers do not take it for missing.
  return shuffled(addresses)
    .map((data): Answer => ({ name, type: data.includes(':') ? 'AAAA' : 'A', ttl: ttlSeconds, data }))
    .filter((answer) => answer.type === type || type === 'ANY');
}

function answerReply(query: Buffer, question: Question, answers: readonly Answer[], limitBytes: number): Buffer {
  const flags = RECURSION_AVAILABLE | (query.readUInt16BE(2) & RECURSION_DESIRED);
  const packet = (kept: readonly Answer[], more: number): Buffer =>
    encode({
      type: 'response',
      id: query.readUInt16BE(0),
      flags: flags | more,
      questions: [question as never],
      answers: [...kept],
    });
  const all = packet(answers, 0);
  if (all.length <= limitBytes) return all;
  const emptyBytes = packet([], 0).length;
  const largestBytes = Math.max(...answers.map((answer) => packet([answer], 0).length - emptyBytes));
  const fitting = Math.max(0, Math.floor((limitBytes - emptyBytes) / largestBytes));
  return packet(answers.slice(0, fitting), TRUNCATED_RESPONSE);
}

/** The only question, read alone, so that strange records behind it do no harm. */
function readQuestion(query: Buffer): Question | undefined {
  const end = questionEnd(query);
  if (end === undefined) return undefined;
  const alone = Buffer.from(query.subarray(0, end));
  alone.fill(0, 6, headerSizeBytes);
  try {
    const [question] = decode(alone).questions ?? [];
    return question === undefined ? undefined : { ...question, class: question.class ?? 'IN' };
  } catch {
    return undefined;
  }
}

/** Where the question section ends; undefined unless it is one question with an uncompressed name. */
function questionEnd(query: Buffer): number | undefined {
  const longestLabel = 63;
  if (query.length < headerSizeBytes || query.readUInt16BE(4) !== 1) return undefined;
  let offset = headerSizeBytes;
  for (let length = query[offset]; length !== 0; length = query[offset]) {
    if (length === undefined || length > longestLabel) return undefined;
    offset += 1 + length;
  }
  const end = offset + 5;
  return end <= query.length ? end : undefined;
}

/** What the client can take in a datagram (EDNS, RFC 6891). */
function udpLimitBytes(query: Buffer): number {
  try {
    const option = decode(query).additionals?.find(({ type }) => type === 'OPT');
    const size = option?.type === 'OPT' ? option.udpPayloadSize : 0;
    return Math.max(size ?? 0, plainUdpSizeBytes);
  } catch {
    return plainUdpSizeBytes;
  }
}

/** Clients that take the first address spread over all of them. */
function shuffled<T>(values: readonly T[]): readonly T[] {
  const result = [...values];
  for (let last = result.length - 1; last > 0; last -= 1) {
    const other = randomBelow(last + 1);
    [result[last], result[other]] = [result[other] as T, result[last] as T];
  }
  return result;
}
