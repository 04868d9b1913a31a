import assert from 'node:assert/strict';
import { test } from 'node:test';

import { empty, json } from '../http/reply.ts';
import { maskSecrets } from './mask-secrets.ts';

function masked(value: unknown): unknown {
  const reply = maskSecrets(json(value));
  assert.equal(reply.kind, 'value');
  return reply.kind === 'value' ? JSON.parse(reply.body) : undefined;
}

test('values of variables are hidden, their names are not', () => {
  assert.deepEqual(masked({ Config: { Env: ['PASSWORD=geheim', 'A=b=c', 'BARE'], Cmd: ['A=b'] } }), {
    Config: { Env: ['PASSWORD=********', 'A=********', 'BARE'], Cmd: ['A=b'] },
  });
});

test('passwords of volumes and options of log drivers are hidden', () => {
  assert.deepEqual(masked({ Volumes: [{ Options: { type: 'cifs', o: 'username=u,password=p,ro' } }] }), {
    Volumes: [{ Options: { type: 'cifs', o: 'username=u,password=********,ro' } }],
  });
  assert.deepEqual(masked({ HostConfig: { LogConfig: { Type: 'gelf', Config: { token: 't' } } } }), {
    HostConfig: { LogConfig: { Type: 'gelf', Config: { token: '********' } } },
  });
});

test('other replies pass', () => {
  const reply = empty(204);
  assert.equal(maskSecrets(reply), reply);
});
