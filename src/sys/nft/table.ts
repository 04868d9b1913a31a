import {
  type Attribute,
  decodeAttributeList,
  encodeAttributes,
  nestedAttribute,
  textAttribute,
} from '../netlink/attributes.ts';
import { messageFlags } from '../netlink/message.ts';
import type { NetlinkRequest, NetlinkSocket } from '../netlink/netlink-socket.ts';
import { inNewNetns } from '../netns.ts';
import { Nft } from './nft.ts';
import { changeRules, openFilterSocket } from './rules.ts';
import { encodeElement, type SetElement, type SetType } from './set-elements.ts';

/** A table as the kernel takes it, without elements. */
export interface TableImage {
  readonly name: string;
  readonly family: number;
  readonly parts: readonly NetlinkRequest[];
}

/** Elements of one set. */
export interface SetChange {
  readonly set: string;
  readonly type: SetType;
  readonly elements: readonly SetElement[];
}

const subsystem = 10 << 8;
const types = { addTable: 0, removeTable: 2, addElements: 12, removeElements: 14 };
const elementAttributes = { table: 1, set: 2, elements: 3 };
const append = 0x800;
const setId = 10;
const headerSizeBytes = 4;
/** So that an attribute stays below 64 KiB, the most that its length can say. */
const elementsPerMessage = 400;

/**
 * What a table consists of: how to ask for all of a kind, how to add one, and which attributes describe it (the others are
 * counters, handles and the like, which only the kernel gives).
 */
const kinds = [
  { what: 'set', get: 10, add: 9, flags: messageFlags.create, kept: [1, 2, 3, 4, 5, 6, 7, 8, 9, 13] },
  { what: 'chain', get: 4, add: 3, flags: messageFlags.create, kept: [1, 3, 4, 5, 7] },
  { what: 'rule', get: 7, add: 6, flags: messageFlags.create | append, kept: [1, 2, 4, 7] },
] as const;

/**
 * Compiles one table from nft's language. libnftables does it in a network namespace made for it and empty: it loads all
 * sets and chains that it finds before it adds a rule, and older versions crash on those that newer ones wrote.
 * Throws NftError, and Unavailable when the library is missing.
 */
export function compileTable(text: string): TableImage {
  return inNewNetns(() => {
    using nft = new Nft();
    nft.run(text);
    using socket = openFilterSocket();
    return readTable(socket);
  });
}

/** Makes the table with these elements, in one transaction; with `replace` in the place of one that may be there. */
export function makeTable(
  socket: NetlinkSocket,
  table: TableImage,
  changes: readonly SetChange[],
  { replace }: { readonly replace: boolean },
): void {
  const create = tableRequest(table, types.addTable, messageFlags.create);
  const before = replace ? [create, tableRequest(table, types.removeTable, 0)] : [];
  changeRules(socket, [...before, create, ...table.parts, ...elementRequests(table, 'add', changes)]);
}

/** Adding what is there already is no error, removing what is not there is (ENOENT), and then nothing is done. */
export function changeElements(
  socket: NetlinkSocket,
  table: TableImage,
  verb: 'add' | 'remove',
  changes: readonly SetChange[],
): void {
  changeRules(socket, elementRequests(table, verb, changes));
}

/** Removes elements and adds others, in one transaction: no packet is looked at in between. Throws like `changeElements`. */
export function exchangeElements(
  socket: NetlinkSocket,
  table: TableImage,
  gone: readonly SetChange[],
  come: readonly SetChange[],
): void {
  changeRules(socket, [...elementRequests(table, 'remove', gone), ...elementRequests(table, 'add', come)]);
}

/** Idempotent. */
export function removeTable(socket: NetlinkSocket, family: 'inet' | 'ip', name: string): void {
  const table = { name, family: family === 'inet' ? 1 : 2 };
  const create = tableRequest(table, types.addTable, messageFlags.create);
  changeRules(socket, [create, tableRequest(table, types.removeTable, 0)]);
}

function readTable(socket: NetlinkSocket): TableImage {
  const all = kinds.map((kind) => ({ kind, answers: dump(socket, kind.get) }));
  const parts = all.flatMap(({ kind: { what, add, flags, kept }, answers }) =>
    answers.map((answer, index): NetlinkRequest => {
      const description = decodeAttributeList(answer.subarray(headerSizeBytes)).filter(({ type }) =>
        (kept as readonly number[]).includes(type),
      );
      const identity = what === 'set' ? [u32(setId, index + 1)] : [];
      const payload = Buffer.concat([header(answer[0] ?? 0), encodeAttributes([...description, ...identity])]);
      return { request: `add ${what}`, type: subsystem | add, flags, payload };
    }),
  );
  const [table = Buffer.alloc(headerSizeBytes)] = dump(socket, 1);
  const name = decodeAttributeList(table.subarray(headerSizeBytes)).find(({ type }) => type === 1)?.value;
  return { name: name?.toString('utf8', 0, name.length - 1) ?? '', family: table[0] ?? 0, parts };
}

function dump(socket: NetlinkSocket, type: number): readonly Buffer[] {
  return socket.dump({ request: 'read table', type: subsystem | type, payload: header(0) });
}

function tableRequest(table: Omit<TableImage, 'parts'>, type: number, flags: number): NetlinkRequest {
  const payload = Buffer.concat([header(table.family), encodeAttributes([textAttribute(1, table.name)])]);
  return { request: `table ${table.name}`, type: subsystem | type, flags, payload };
}

function elementRequests(
  { name, family }: Omit<TableImage, 'parts'>,
  verb: 'add' | 'remove',
  changes: readonly SetChange[],
): readonly NetlinkRequest[] {
  return changes.flatMap(({ set, type, elements }) => {
    const entries = elements.flatMap((element) => encodeElement(type, element));
    const chunks = Array.from({ length: Math.ceil(entries.length / elementsPerMessage) }, (_, index) =>
      entries.slice(index * elementsPerMessage, (index + 1) * elementsPerMessage),
    );
    return chunks.map((chunk): NetlinkRequest => {
      const list = [
        textAttribute(elementAttributes.table, name),
        textAttribute(elementAttributes.set, set),
        nestedAttribute(elementAttributes.elements, chunk),
      ];
      const payload = Buffer.concat([header(family), encodeAttributes(list)]);
      const request = `${verb} elements of ${set}`;
      if (verb === 'remove') return { request, type: subsystem | types.removeElements, payload };
      return { request, type: subsystem | types.addElements, flags: messageFlags.create, payload };
    });
  });
}

function u32(type: number, value: number): Attribute {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return { type, value: bytes };
}

/** struct nfgenmsg. */
function header(family: number): Buffer {
  return Buffer.of(family, 0, 0, 0);
}
