import assert from 'node:assert/strict';
import { test } from 'node:test';

import { type Answer, decode, type DecodedPacket, encode, type Question } from 'dns-packet';
import * as fc from 'fast-check';

import { decide, errorReply, type NameZone, responseCodes } from './answer.ts';
import { addressOfReverseName } from './reverse-name.ts';

const many = Array.from({ length: 100 }, (_, index) => `10.0.1.${String(index)}`);
const zone: NameZone = {
  addresses: (name) =>
    new Map([
      ['web', ['10.0.0.2', 'fd00::2']],
      ['many', many],
    ]).get(name),
  pointer: (address) =>
    new Map([
      ['10.0.0.2', 'web.boards'],
      ['fd00::2', 'web.boards'],
    ]).get(address),
};

test('own names are answered for each type', () => {
  assert.deepEqual(dataOf(reply('web', 'A')), ['10.0.0.2']);
  assert.deepEqual(dataOf(reply('web', 'AAAA')), ['fd00::2']);
  assert.deepEqual(dataOf(reply('web', 'ANY' as never)).toSorted(), ['10.0.0.2', 'fd00::2']);
  const { rcode, answers } = read(reply('web', 'MX'));
  assert.deepEqual([rcode, answers], ['NOERROR', []], 'a name of ours without such records is not missing');
});

test('the question comes back as it was asked, and recursion is offered', () => {
  const packet = decode(reply('WeB', 'A'));
  assert.deepEqual(packet.questions, [{ name: 'WeB', type: 'A', class: 'IN' }]);
  assert.deepEqual([packet.id, packet.flag_ra, packet.flag_rd, packet.flag_qr], [99, true, true, true]);
  assert.deepEqual(
    packet.answers?.map((answer) => 'ttl' in answer && answer.ttl),
    [600],
  );
});

test('addresses are turned back into names', () => {
  assert.deepEqual(dataOf(reply('2.0.0.10.in-addr.arpa', 'PTR')), ['web.boards']);
  const ipv6 = `2.${'0.'.repeat(27)}0.0.d.f.ip6.arpa`;
  assert.deepEqual(dataOf(reply(ipv6, 'PTR')), ['web.boards']);
  assert.equal(decide(query('3.0.0.10.in-addr.arpa', 'PTR'), zone, 'udp')?.kind, 'forward');
});

test('foreign names and classes are for other servers', () => {
  assert.equal(decide(query('www.example.test', 'A'), zone, 'udp')?.kind, 'forward');
  assert.equal(decide(query('web.', 'A'), zone, 'udp')?.kind, 'reply');
  const chaos = encode({ type: 'query', id: 1, questions: [{ name: 'web', type: 'TXT', class: 'CH' }] });
  assert.equal(decide(chaos, zone, 'udp')?.kind, 'forward');
});

test('what does not fit into a datagram is cut and marked, and fits on TCP', () => {
  const cut = reply('many', 'A');
  assert.ok(cut.length <= 512 && cut.length > 450, String(cut.length));
  assert.equal(decode(cut).flag_tc, true);
  const extended = encode({
    type: 'query',
    id: 99,
    questions: [{ name: 'many', type: 'A' }],
    additionals: [
      {
        type: 'OPT',
        name: '.',
        udpPayloadSize: 1400,
        extendedRcode: 0,
        ednsVersion: 0,
        flags: 0,
        flag_do: false,
        options: [],
      },
    ],
  });
  const larger = decide(extended, zone, 'udp');
  assert.ok(larger?.kind === 'reply' && larger.bytes.length > 1300 && larger.bytes.length <= 1400);
  const whole = decide(query('many', 'A'), zone, 'tcp');
  assert.equal(whole?.kind === 'reply' && dataOf(whole.bytes).length, 100);
});

test('the order changes, so that clients spread', () => {
  const firsts = new Set(Array.from({ length: 60 }, () => dataOf(reply('many', 'A'))[0]));
  assert.ok(firsts.size > 1);
});

test('what is no query is dropped or refused in form', () => {
  const answer = Buffer.from(query('web', 'A'));
  answer.writeUInt8(0x80, 2);
  assert.equal(decide(answer, zone, 'udp'), undefined);
  assert.equal(decide(Buffer.alloc(11), zone, 'udp'), undefined);
  const status = Buffer.from(query('web', 'A'));
  status.writeUInt8(0x10, 2);
  assert.equal(codeOf(status), responseCodes.notImplemented);
  const two = encode({
    type: 'query',
    id: 1,
    questions: [
      { name: 'web', type: 'A' },
      { name: 'x', type: 'A' },
    ],
  });
  assert.equal(codeOf(two), responseCodes.formatError);
  const pointer = Buffer.concat([query('web', 'A').subarray(0, 12), Buffer.of(0xc0, 12, 0, 1, 0, 1)]);
  assert.equal(codeOf(pointer), responseCodes.formatError);
});

test('an error keeps the question byte by byte, since resolvers compare it', () => {
  const asked = query('ODD-Case.example', 'AAAA');
  const refused = errorReply(asked, responseCodes.serverFailure);
  assert.deepEqual(refused.subarray(12), asked.subarray(12));
  assert.equal(read(refused).rcode, 'SERVFAIL');
});

test('no bytes hurt', () => {
  const header = fc.constantFrom('000001000001000000000000', '000001000001000000000001', '0000010000010000000000ff');
  const packets = fc.oneof(
    fc.uint8Array({ maxLength: 80 }),
    fc
      .tuple(header, fc.uint8Array({ maxLength: 60 }))
      .map(([start, rest]) => Buffer.concat([Buffer.from(start, 'hex'), rest])),
    fc.tuple(fc.constant(query('web', 'A')), fc.uint8Array({ maxLength: 60 })).map((parts) => Buffer.concat(parts)),
  );
  fc.assert(
    fc.property(packets, (bytes) => {
      const decision = decide(Buffer.from(bytes), zone, 'udp');
      if (decision?.kind === 'reply') assert.ok(decision.bytes.length >= 12 && decision.bytes.readUInt8(2) >= 0x80);
    }),
    { numRuns: 200 },
  );
});

test('only whole reverse names are addresses', () => {
  const names = [
    '1.0.10.in-addr.arpa',
    '256.0.0.10.in-addr.arpa',
    '1.0.0.10.in-addr.arpa.x',
    'ip6.arpa',
    'a.ip6.arpa',
    'web',
  ];
  for (const name of names) assert.equal(addressOfReverseName(name), undefined, name);
  assert.equal(addressOfReverseName('1.0.0.10.in-addr.arpa'), '10.0.0.1');
});

function query(name: string, type: Question['type']): Buffer {
  return encode({ type: 'query', id: 99, flags: 0x0100, questions: [{ name, type }] });
}

function reply(name: string, type: Question['type']): Buffer {
  const decision = decide(query(name, type), zone, 'udp');
  assert.ok(decision?.kind === 'reply', name);
  return decision.bytes;
}

function read(bytes: Buffer): DecodedPacket & { readonly rcode: string } {
  return decode(bytes) as DecodedPacket & { rcode: string };
}

function codeOf(bytes: Buffer): number | undefined {
  const decision = decide(bytes, zone, 'udp');
  return decision?.kind === 'reply' ? decision.bytes.readUInt8(3) & 0xf : undefined;
}

function dataOf(bytes: Buffer): readonly string[] {
  return (decode(bytes).answers ?? []).map((answer: Answer) =>
    'data' in answer && typeof answer.data === 'string' ? answer.data : '',
  );
}
