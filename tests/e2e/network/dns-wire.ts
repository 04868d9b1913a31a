import { formatAddress, addressOfBytes } from '#formats/ip-address.ts';

/** Enough of RFC 1035 to ask the embedded server, by hand, so that the test does not share its code. */
const types = { A: 1, PTR: 12, MX: 15, AAAA: 28 } as const;

export function encodeQuery(name: string, type: keyof typeof types, id = 0x1234): Buffer {
  const labels = name.split('.').map((label) => Buffer.concat([Buffer.of(label.length), Buffer.from(label)]));
  const header = Buffer.alloc(12);
  header.writeUInt16BE(id, 0);
  header.writeUInt16BE(0x0100, 2);
  header.writeUInt16BE(1, 4);
  return Buffer.concat([header, ...labels, Buffer.of(0, 0, types[type], 0, 1)]);
}

/** Response code and the data of all answers, sorted. */
export function readReply(reply: Buffer): { readonly code: number; readonly answers: readonly string[] } {
  let offset = skipName(reply, 12).end + 4;
  const answers: string[] = [];
  for (let count = reply.readUInt16BE(6); count > 0; count -= 1) {
    offset = skipName(reply, offset).end;
    const type = reply.readUInt16BE(offset);
    const length = reply.readUInt16BE(offset + 8);
    const data = reply.subarray(offset + 10, offset + 10 + length);
    const address = addressOfBytes(data);
    if (type === types.PTR) answers.push(skipName(reply, offset + 10).name);
    else if (address !== undefined) answers.push(formatAddress(address));
    offset += 10 + length;
  }
  return { code: reply.readUInt16BE(2) & 0xf, answers: answers.sort() };
}

/** Turns a query into a reply with one IPv4 address. */
export function replyWith(query: Buffer, address: readonly number[]): Buffer {
  const reply = Buffer.from(query);
  reply.writeUInt16BE(0x8180, 2);
  reply.writeUInt16BE(1, 6);
  const record = Buffer.of(0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, ...address);
  return Buffer.concat([reply, record]);
}

/** The name that a query asks for. */
export function askedName(query: Buffer): string {
  return skipName(query, 12).name;
}

function skipName(bytes: Buffer, start: number): { readonly name: string; readonly end: number } {
  const labels: string[] = [];
  let offset = start;
  for (let length = bytes.readUInt8(offset); length !== 0; length = bytes.readUInt8(offset)) {
    if (length >= 0xc0) {
      const rest = skipName(bytes, bytes.readUInt16BE(offset) & 0x3fff).name;
      return { name: [...labels, rest].join('.'), end: offset + 2 };
    }
    labels.push(bytes.toString('latin1', offset + 1, offset + 1 + length));
    offset += 1 + length;
  }
  return { name: labels.join('.'), end: offset + 1 };
}
