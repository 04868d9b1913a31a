import assert from 'node:assert/strict';
import { test } from 'node:test';

import { mirrorsOf } from './mirrors.ts';

test('the nearest entry wins, and order is kept', () => {
  const mirrors = {
    'docker.io': ['https://one.example', 'http://two.example:5000/hub'],
    '*.corp.example': ['https://corp.example'],
    'deep.corp.example': [],
    '*': ['https://all.example'],
  };
  const hosts = (domain: string) => mirrorsOf(mirrors, domain).map(({ href }) => href);
  assert.deepEqual(hosts('docker.io'), ['https://one.example/', 'http://two.example:5000/hub']);
  assert.deepEqual(hosts('a.corp.example'), ['https://corp.example/']);
  assert.deepEqual(hosts('a.b.corp.example:5000'), ['https://all.example/'], 'the port is part of the domain');
  assert.deepEqual(hosts('a.b.corp.example'), ['https://corp.example/']);
  assert.deepEqual(hosts('deep.corp.example'), [], 'an empty list turns mirrors off');
  assert.deepEqual(hosts('localhost:5000'), ['https://all.example/']);
  assert.deepEqual(mirrorsOf({}, 'docker.io'), []);
});
