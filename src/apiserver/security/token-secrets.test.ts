import assert from 'node:assert/strict';
import { createPublicKey } from 'node:crypto';
import { test } from 'node:test';

import { eventually } from '#kit/eventually.ts';
import { MemoryObjects } from '#kit/kube-auth/memory-objects.ts';
import { objectOf } from '#kube/fields.ts';
import type { Resource } from '#kube/resource.ts';
import { newKey } from '#pki/key-file.ts';

import { secretTokens } from '../auth/tokens/secret-tokens.ts';
import { runTokenSecrets } from './token-secrets.ts';

const { signal } = new AbortController();
const accounts = { group: '', resource: 'serviceaccounts' };
const secrets = { group: '', resource: 'secrets' };
const key = newKey();
const account: Resource = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'build', namespace: 'n' } };

function secret(name: string, more: Readonly<Record<string, string>> = {}): Resource {
  const annotations = { 'kubernetes.io/service-account.name': 'build', ...more };
  const metadata = { name, namespace: 'n', annotations };
  return { apiVersion: 'v1', kind: 'Secret', metadata, type: 'kubernetes.io/service-account-token' };
}

test('secrets for tokens are filled, work, and go with their account', async (t) => {
  const controller = new AbortController();
  t.after(() => controller.abort());
  const objects = new MemoryObjects([account, secret('a')]);
  const onError = (error: unknown): void => assert.fail(String(error));
  void runTokenSecrets({ objects, key, authorityPem: 'PEM', onError }, controller.signal);
  const dataOf = async (): Promise<Readonly<Record<string, string>>> =>
    objectOf((await objects.get(secrets, 'n', 'a'))?.['data']) as Readonly<Record<string, string>>;
  await eventually('it is filled', async () => (await dataOf())['token'] !== undefined);
  const { token = '', ...rest } = await dataOf();
  assert.deepEqual(rest, { 'ca.crt': 'UEVN', namespace: 'bg==' });
  const stored = await objects.get(secrets, 'n', 'a');
  const uid = (await objects.get(accounts, 'n', 'build'))?.metadata.uid ?? '';
  assert.equal(stored?.metadata.annotations?.['kubernetes.io/service-account.uid'], uid);

  const authenticator = secretTokens([createPublicKey(key)], ['api'], objects);
  const text = Buffer.from(token, 'base64').toString();
  const { user, audiences } = (await authenticator.authenticateToken(text, ['api'], signal)) ?? assert.fail();
  assert.deepEqual(
    [user.name, user.uid, user.groups, audiences],
    ['system:serviceaccount:n:build', uid, ['system:serviceaccounts', 'system:serviceaccounts:n'], ['api']],
  );
  await assert.rejects(authenticator.authenticateToken(text, ['other'], signal), /it is for this server/);
  const stranger = secretTokens([createPublicKey(newKey())], ['api'], objects);
  await assert.rejects(stranger.authenticateToken(text, ['api'], signal), /not signed by this cluster/);
  assert.equal(await authenticator.authenticateToken('no.to.ken', ['api'], signal), undefined);

  objects.remove(accounts, 'n', 'build');
  await eventually('the secret is gone', async () => (await objects.get(secrets, 'n', 'a')) === undefined);
  await assert.rejects(authenticator.authenticateToken(text, ['api'], signal), /not in secret "a" any more/);
});

test('secrets that come before their account or name an earlier one are not kept', async (t) => {
  const controller = new AbortController();
  t.after(() => controller.abort());
  const objects = new MemoryObjects([
    account,
    secret('old', { 'kubernetes.io/service-account.uid': 'gone' }),
    secret('alien', { 'kubernetes.io/service-account.name': 'nobody' }),
    { ...secret('plain'), type: 'Opaque' },
  ]);
  const onError = (error: unknown): void => assert.fail(String(error));
  void runTokenSecrets({ objects, key, authorityPem: 'PEM', onError }, controller.signal);
  await eventually('both are gone', async () => (await objects.list(secrets, 'n')).length === 1);
  assert.equal((await objects.get(secrets, 'n', 'plain'))?.['data'], undefined);
});
