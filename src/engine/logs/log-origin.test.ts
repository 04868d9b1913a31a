import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { LogOptions } from './log-config.ts';
import { logAttributes, type LogOrigin, logTag, shownAttributes } from './log-origin.ts';

function origin(options: LogOptions): LogOrigin {
  return {
    id: '0123456789abcdef'.repeat(4),
    name: 'web',
    imageId: `sha256:${'ab'.repeat(32)}`,
    imageName: 'nginx:1',
    args: ['sh', '-c', 'true'],
    createdAt: '2026-01-01T00:00:00Z',
    env: ['A=1', 'B=x=y', 'EMPTY=', 'BARE'],
    labels: { app: 'shop', 'com.example.tier': 'front' },
    log: { driver: 'syslog', options },
  };
}

test('tags', () => {
  const tag = (text: string): string => logTag(origin({ tag: text }));
  assert.equal(logTag(origin({})), '0123456789ab');
  assert.equal(tag('{{.DaemonName}}/{{.Name}}/{{.FullID}}'), `docker/web/${'0123456789abcdef'.repeat(4)}`);
  assert.equal(tag('{{.ImageName}} {{.ImageID}}'), 'nginx:1 sha256:ababa');
  assert.equal(tag('{{.Command}}|{{.ContainerName}}'), 'sh -c true|/web');
  assert.equal(logTag(origin({ tag: '{{(.ExtraAttributes nil).A}}', env: 'A' })), '1');
  assert.equal(tag('{{index .ContainerLabels "app"}}'), 'shop');
  assert.throws(() => tag('{{.Nope}}'), { reason: 'InvalidArgument' });
});

test('labels and variables are chosen by name and by pattern', () => {
  assert.deepEqual(logAttributes(origin({})), {});
  assert.deepEqual(logAttributes(origin({ labels: 'app,none', env: 'B,EMPTY' })), { app: 'shop', B: 'x=y', EMPTY: '' });
  assert.deepEqual(logAttributes(origin({ 'labels-regex': '^com\\.', 'env-regex': '^A$' })), {
    'com.example.tier': 'front',
    A: '1',
  });
  assert.throws(() => logAttributes(origin({ 'env-regex': '(' })), { message: /error parsing regexp in env-regex/ });
  assert.deepEqual(shownAttributes(origin({ labels: 'app', tag: 't' })), { app: 'shop', tag: 't' });
});
