import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Nft, NftError } from '#sys/nft/nft.ts';
import { inNetns } from '#sys/netns.ts';

import { Namespaces } from './namespace.ts';

test('a transaction happens wholly or not at all, and nft says what is wrong', () => {
  using namespaces = new Namespaces();
  using nft = inNetns(namespaces.add('host'), () => new Nft());
  nft.run('add table inet t; add set inet t s { type ipv4_addr; }; add element inet t s { 10.0.0.1 }');
  assert.throws(
    () => nft.run('add element inet t s { 10.0.0.2 }\nadd element inet t missing { 10.0.0.3 }'),
    (error) => error instanceof NftError && error.message.includes('missing'),
  );
  const sets = nft.list('list table inet t').map((object) => object['set'] as { elem?: unknown } | undefined);
  assert.deepEqual(sets.find((set) => set !== undefined)?.elem, ['10.0.0.1']);
  assert.throws(() => nft.run('gibberish'), NftError);
  nft.run('delete table inet t');
  assert.deepEqual(
    nft.list('list tables').filter((object) => 'table' in object),
    [],
  );
});

test('each namespace has its own tables', () => {
  using namespaces = new Namespaces();
  const [one, other] = [namespaces.add('one'), namespaces.add('other')];
  using nft = inNetns(one, () => new Nft());
  nft.runIn(other, 'add table ip there');
  nft.run('add table ip here');
  using inOther = inNetns(other, () => new Nft());
  const names = (from: Nft): unknown[] =>
    from.list('list tables').flatMap((object) => (object['table'] as { name: string } | undefined)?.name ?? []);
  assert.deepEqual([names(nft), inNetns(other, () => names(inOther))], [['here'], ['there']]);
});
