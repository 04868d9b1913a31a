import assert from 'node:assert/strict';
import { createSecretKey, randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';

import * as fc from 'fast-check';

import { StatusError } from '#base/errors.ts';
import { openMemoryStore } from '#store/memory/open-memory-store.ts';

import { encryptedStore, providersFor } from './encrypted-store.ts';
import { parseEncryptionConfiguration, type Provider } from './encryption-configuration.ts';
import { decryptValue, encryptValue } from './transform-value.ts';

const { signal } = new AbortController();
const path = '/registry/core/secrets/default/a';
const provider = (type: 'aesgcm' | 'aescbc', ...names: readonly string[]): Provider => ({
  type,
  keys: names.map((name) => ({ name, key: createSecretKey(randomBytes(32)) })),
});
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');
const bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1');
const damaged = (words: RegExp) => (error: unknown) =>
  error instanceof StatusError && error.reason === 'Damaged' && words.test(error.message);

describe('values', () => {
  for (const type of ['aesgcm', 'aescbc'] as const) {
    test(`${type}: come back, look like nothing, and differ each time`, () => {
      const providers = [provider(type, 'one')];
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 200 }), (value) => {
          const stored = encryptValue(value, path, providers);
          assert.ok(text(stored).startsWith(`k8s:enc:${type}:v1:one:`));
          assert.deepEqual(Buffer.from(decryptValue(stored, path, providers).value), Buffer.from(value));
          assert.notDeepEqual(encryptValue(value, path, providers), stored);
        }),
      );
      assert.ok(!text(encryptValue(bytes('password'), path, providers)).includes('password'));
    });

    test(`${type}: keys are changed by putting a new one in front`, () => {
      const [old, now] = [provider(type, 'old'), provider(type, 'new')];
      assert.ok(old.type === type && now.type === type);
      const both: readonly Provider[] = [{ type, keys: [...now.keys, ...old.keys] }];
      const stored = encryptValue(bytes('a'), path, [old]);
      assert.deepEqual(text(decryptValue(stored, path, both).value), 'a');
      assert.ok(decryptValue(stored, path, both).isStale);
      assert.ok(!decryptValue(encryptValue(bytes('a'), path, both), path, both).isStale);
      assert.throws(() => decryptValue(stored, path, [now]), damaged(/no provider has aes... key "old"/));
    });

    test(`${type}: what was changed or cut off is damaged, never something else thrown`, () => {
      const providers = [provider(type, 'one')];
      const stored = encryptValue(bytes('a value'), path, providers);
      fc.assert(
        fc.property(fc.nat(stored.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
          const other = Buffer.from(stored);
          other[at] = (other[at] ?? 0) ^ change;
          for (const one of [other, stored.subarray(0, at)]) {
            try {
              decryptValue(one, path, providers);
              // Without authentication some changes show as other bytes.
              assert.equal(type, 'aescbc');
            } catch (error) {
              assert.ok(damaged(/Cannot decrypt value/)(error), String(error));
            }
          }
        }),
      );
    });
  }

  test('aesgcm: a value cannot be moved to another place', () => {
    const providers = [provider('aesgcm', 'one')];
    const stored = encryptValue(bytes('a'), path, providers);
    assert.throws(() => decryptValue(stored, `${path}x`, providers), damaged(/its key does not open it/));
  });

  test('plain ones are read when identity is among the providers', () => {
    const secret = provider('aesgcm', 'one');
    assert.deepEqual(decryptValue(bytes('{}'), path, [secret, { type: 'identity' }]), {
      value: bytes('{}'),
      isStale: true,
    });
    assert.equal(decryptValue(bytes('{}'), path, [{ type: 'identity' }, secret]).isStale, false);
    assert.equal(encryptValue(bytes('{}'), path, [{ type: 'identity' }, secret]).length, 2);
    assert.throws(() => decryptValue(bytes('{}'), path, [secret]), damaged(/it is not encrypted/));
  });
});

describe('the configuration', () => {
  const secret = randomBytes(32).toString('base64');
  const of = (resources: readonly object[]): unknown => ({
    apiVersion: 'apiserver.config.k8s.io/v1',
    kind: 'EncryptionConfiguration',
    resources,
  });

  test('names kinds and ways', () => {
    const kinds = parseEncryptionConfiguration(
      of([
        { resources: ['secrets'], providers: [{ aescbc: { keys: [{ name: 'k', secret }] } }, { identity: {} }] },
        { resources: ['*.apps'], providers: [{ identity: {} }] },
      ]),
    );
    const typesOf = (key: string): unknown => providersFor(key, kinds)?.map(({ type }) => type);
    assert.deepEqual(typesOf('/registry/core/secrets/a/b'), ['aescbc', 'identity']);
    assert.deepEqual(typesOf('/registry/apps/deployments/a/b'), ['identity']);
    for (const key of ['/registry/core/configmaps/a/b', '/registry/other/secrets/a/b', '/other'])
      assert.equal(typesOf(key), undefined);
  });

  test('what is wrong is named', () => {
    const providers = (one: object): unknown => of([{ resources: ['secrets'], providers: [one] }]);
    const rows: readonly (readonly [unknown, RegExp])[] = [
      [{}, /"kind": it is no EncryptionConfiguration/],
      [{ kind: 'EncryptionConfiguration', apiVersion: 'v1' }, /"apiVersion": it is "v1"/],
      [of([{ resources: [], providers: [] }]), /"resources\[0\].resources": it is empty/],
      [of([{ resources: ['secrets'] }]), /"resources\[0\].providers": it is empty/],
      [providers({ secretbox: {} }), /"secretbox" is not done here; use aesgcm or aescbc/],
      [providers({ aesgcm: {}, aescbc: {} }), /it names several ways/],
      [providers({ aesgcm: { keys: [] } }), /keys": there are 0/],
      [providers({ aesgcm: { keys: [{ name: 'a:b', secret }] } }), /keys\[0\].name": it is empty or has a colon/],
      [providers({ aesgcm: { keys: [{ name: 'a', secret: 'AAAA' }] } }), /it has 3 bytes; give 16, 24 or 32/],
      [
        providers({
          aesgcm: {
            keys: [
              { name: 'a', secret },
              { name: 'a', secret },
            ],
          },
        }),
        /a name is there twice/,
      ],
    ];
    for (const [value, words] of rows) assert.throws(() => parseEncryptionConfiguration(value), words);
  });
});

test('a store encrypts what it is told to, and its readers do not notice', async () => {
  await using plain = openMemoryStore();
  const store = encryptedStore(plain, [
    { resources: ['secrets'], providers: [provider('aesgcm', 'k'), { type: 'identity' }] },
  ]);
  const other = '/registry/core/configmaps/default/a';
  const start = await plain.put(`${path}old`, bytes('plain'), 0n, {}, signal);
  const revision = await store.put(path, bytes('password'), 0n, {}, signal);
  await store.put(other, bytes('settings'), 0n, {}, signal);
  assert.equal(text((await store.get(path, signal))?.value ?? bytes('')), 'password');
  assert.ok(text((await plain.get(path, signal))?.value ?? bytes('')).startsWith('k8s:enc:aesgcm:v1:k:'));
  assert.equal(text((await plain.get(other, signal))?.value ?? bytes('')), 'settings');
  const { entries } = await store.list('/registry/core/secrets/', {}, signal);
  assert.deepEqual(
    entries.map(({ value }) => text(value)),
    ['password', 'plain'],
  );
  await store.put(path, bytes('changed'), revision, {}, signal);
  const controller = new AbortController();
  const seen: string[] = [];
  for await (const change of store.watch('/registry/core/secrets/', start, controller.signal)) {
    if (change.type === 'put') seen.push(`${text(change.before ?? bytes(''))}>${text(change.value)}`);
    if (seen.length === 2) break;
  }
  assert.deepEqual(seen, ['>password', 'password>changed']);
});
