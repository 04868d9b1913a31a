import assert from 'node:assert/strict';
import { test } from 'node:test';

import { decodeAttributeList, decodeAttributes } from '../netlink/attributes.ts';
import { encodeElement, setDeclaration, type SetElement, type SetType } from './set-elements.ts';

test('sets and maps are declared in the language of nft', () => {
  assert.equal(setDeclaration('a', { key: ['ifname'] }), 'set a { type ifname; }');
  const map: SetType = { key: ['inet_proto', 'inet_service'], data: ['ipv4_addr', 'inet_service'], interval: true };
  const type = 'inet_proto . inet_service : ipv4_addr . inet_service';
  assert.equal(setDeclaration('b', map), `map b { type ${type}; flags interval; }`);
});

test('fields fill four bytes each, in the byte order of the network', () => {
  const map: SetType = { key: ['inet_proto', 'inet_service'], data: ['ipv4_addr', 'inet_service'] };
  const [entry] = entries(map, { key: ['udp', 8080], data: ['10.0.0.2', 53] });
  assert.deepEqual(entry, { key: '110000001f900000', data: '0a00000200350000' });
  assert.deepEqual(entries({ key: ['inet_service'] }, { key: [80] }), [{ key: '0050' }]);
  const name = Buffer.from('sb-1').toString('hex').padEnd(32, '0');
  assert.deepEqual(entries({ key: ['ifname'] }, { key: ['sb-1'] }), [{ key: name }]);
});

test('a block is its first address and the one behind it, or in a longer key its first and last', () => {
  const single: SetType = { key: ['ipv4_addr'], interval: true };
  assert.deepEqual(entries(single, { key: ['172.18.0.0/16'] }), [
    { key: 'ac120000' },
    { key: 'ac130000', flags: '00000001' },
  ]);
  assert.deepEqual(entries(single, { key: ['255.255.0.0/16'] }), [{ key: 'ffff0000' }], 'nothing is behind the last');
  const longer: SetType = { key: ['inet_service', 'ipv6_addr'], interval: true };
  const [first, last] = ['fd00'.padEnd(32, '0'), 'fd00000000000000'.padEnd(32, 'f')];
  assert.deepEqual(entries(longer, { key: [80, 'fd00::/64'] }), [{ key: `00500000${first}`, end: `00500000${last}` }]);
});

test('what does not fit its set is a defect', () => {
  assert.throws(() => encodeElement({ key: ['ipv4_addr'] }, { key: ['10.0.0.1', 80] }), /want ipv4_addr/);
  assert.throws(() => encodeElement({ key: ['ipv4_addr'] }, { key: ['here'] }), /no address/);
});

function entries(type: SetType, element: SetElement): readonly object[] {
  return encodeElement(type, element).map(({ value }) => {
    const found = decodeAttributes(value);
    const text = (number: number): string | undefined => {
      const attribute = found.get(number);
      return attribute === undefined ? undefined : decodeAttributeList(attribute)[0]?.value.toString('hex');
    };
    const [key, data, end, flags] = [text(1), text(2), text(10), found.get(3)?.toString('hex')];
    return { ...(key && { key }), ...(data && { data }), ...(end && { end }), ...(flags && { flags }) };
  });
}
