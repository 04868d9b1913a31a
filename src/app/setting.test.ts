import assert from 'node:assert/strict';
import { test } from 'node:test';

import { byteSize, listenAddress, mirrorTable } from './setting.ts';

test('sizes are bytes, or have a unit', () => {
  for (const [text, bytes] of [
    ['0', 0],
    ['512', 512],
    ['4GiB', 4 * 1024 ** 3],
    ['1.5 MiB', 1.5 * 1024 ** 2],
  ] as const) {
    assert.equal(byteSize.parse(byteSize.fromText(text)), bytes);
  }
  assert.equal(byteSize.parse(7), 7);
  for (const wrong of ['', '-1', '1GB', 'x', '9'.repeat(30)]) assert.equal(byteSize.parse(wrong), undefined, wrong);
});

test('addresses to listen on have a host and a port, or are none', () => {
  for (const right of ['', '127.0.0.1:5000', '[::1]:0', 'localhost:65535']) {
    assert.equal(listenAddress.parse(right), right);
  }
  for (const wrong of ['5000', ':5000', '::1:5000', 'a:65536', 'a b:1', 5000])
    assert.equal(listenAddress.parse(wrong), undefined);
});

test('mirrors are a table of registries and addresses without secrets', () => {
  const table = { 'docker.io': ['https://one.example', 'http://two.example:5000/hub'], '*': ['https://all.example'] };
  assert.deepEqual(mirrorTable.parse(table), table);
  const text = 'docker.io=https://one.example|http://two.example:5000/hub,*=https://all.example';
  assert.deepEqual(mirrorTable.parse(mirrorTable.fromText(text)), table);
  assert.deepEqual(mirrorTable.parse(mirrorTable.fromText('')), {});
  for (const wrong of [
    [],
    { 'docker.io': 'https://one.example' },
    { 'docker.io': ['one.example'] },
    { 'docker.io': ['https://ada:secret@one.example'] },
    { 'a b': ['https://one.example'] },
    { x: ['ftp://one.example'] },
  ]) {
    assert.equal(mirrorTable.parse(wrong), undefined, JSON.stringify(wrong));
  }
});
