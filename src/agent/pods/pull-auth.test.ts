import assert from 'node:assert/strict';
import { test } from 'node:test';

import { parseReference } from '#formats/reference.ts';
import type { Pod } from '#kube/types/gen/core-v1.ts';

import { pullAuth } from './pull-auth.ts';

const signal = new AbortController().signal;
const base64 = (text: string): string => Buffer.from(text).toString('base64');
const config = {
  auths: {
    'registry.example:5000': { auth: base64('me:pass:word') },
    'registry.example:5000/team': { username: 'team', password: 'secret' },
    'https://index.docker.io/v1/': { auth: base64('hub:x') },
  },
};

async function authFor(image: string, data: Record<string, string>): Promise<unknown> {
  const pod: Pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace: 'shop' },
    spec: { imagePullSecrets: [{ name: 'missing' }, { name: 'keys' }] },
  };
  const secret = { apiVersion: 'v1', kind: 'Secret', metadata: {}, data };
  const none = async (): Promise<never> => assert.fail();
  const sources = {
    configMap: none,
    services: none,
    token: none,
    secret: async (_: string, name: string) => (name === 'keys' ? secret : undefined),
  };
  return pullAuth(pod, parseReference(image), { sources }, signal);
}

test('secrets of a pod say who pulls, the most exact first', async () => {
  const data = { '.dockerconfigjson': base64(JSON.stringify(config)) };
  assert.deepEqual(await authFor('registry.example:5000/app:1', data), { username: 'me', password: 'pass:word' });
  assert.deepEqual(await authFor('registry.example:5000/team/app:1', data), { username: 'team', password: 'secret' });
  assert.deepEqual(await authFor('busybox', data), { username: 'hub', password: 'x' });
  assert.equal(await authFor('other.example/app', data), undefined);
  const old = { '.dockercfg': base64(JSON.stringify({ 'other.example': { username: 'a', password: 'b' } })) };
  assert.deepEqual(await authFor('other.example/app', old), { username: 'a', password: 'b' });
  assert.equal(await authFor('other.example/app', { '.dockerconfigjson': 'nonsense' }), undefined);
});
