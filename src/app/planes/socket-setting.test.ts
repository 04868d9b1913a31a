import assert from 'node:assert/strict';
import { test } from 'node:test';

import { socketSetting } from './socket-setting.ts';

test('a socket is read with its defaults', () => {
  assert.deepEqual(socketSetting.parse({ path: '/run/a.sock', role: 'read-only' }), {
    path: '/run/a.sock',
    role: 'read-only',
    project: '',
    allow: [],
    mode: 0o660,
    group: undefined,
  });
  const whole = { path: '/a', role: 'project', project: 'shop', allow: ['build'], mode: '0600', group: 'ci' };
  assert.deepEqual(socketSetting.parse(whole), { ...whole, mode: 0o600 });
  assert.deepEqual(socketSetting.parse(socketSetting.fromText('/a:project:shop')), {
    path: '/a',
    role: 'project',
    project: 'shop',
    allow: [],
    mode: 0o660,
    group: undefined,
  });
});

test('what makes no sense is refused', () => {
  const good = { path: '/a', role: 'project', project: 'shop' };
  const bad: readonly unknown[] = [
    undefined,
    'text',
    { ...good, path: 'a' },
    { ...good, role: 'king' },
    { ...good, project: '' },
    { ...good, project: 'Shop!' },
    { ...good, color: 'red' },
    { ...good, allow: ['everything'] },
    { ...good, mode: 660 },
    { ...good, mode: '999' },
    { ...good, group: '' },
    { path: '/a', role: 'admin', project: 'shop' },
    { path: '/a', role: 'read-only', allow: ['build'] },
  ];
  for (const value of bad) assert.equal(socketSetting.parse(value), undefined, JSON.stringify(value));
});
