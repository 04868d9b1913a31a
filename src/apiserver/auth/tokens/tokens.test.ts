import assert from 'node:assert/strict';
import { createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import { describe, test } from 'node:test';

import * as fc from 'fast-check';

import { StatusError } from '#base/errors.ts';
import { MemoryObjects } from '#kit/kube-auth/memory-objects.ts';
import type { Resource } from '#kube/resource.ts';
import { ApiError } from '#kube/status.ts';
import { newKey } from '#pki/key-file.ts';

import { discoveryDocument } from './discovery-document.ts';
import { jsonWebKeys, keyIdOf, openToken, signToken, verifyToken } from './json-web-token.ts';
import { readClaims } from './service-account-claims.ts';
import { serviceAccountTokens } from './service-account-tokens.ts';
import { createToken } from './token-request.ts';

const { signal } = new AbortController();
const nowMs = Date.UTC(2026, 5, 1);
const issuer = 'https://kubernetes.default.svc.cluster.local';
const key = newKey();
const publicKey = createPublicKey(key);

describe('JSON web tokens', () => {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });

  test('are checked with the key that the reader has, not as the token says', () => {
    for (const [privateKey, publicKey] of [
      [key, createPublicKey(key)],
      [rsa.privateKey, rsa.publicKey],
    ] as const) {
      const token = openToken(signToken({ a: 'ä' }, privateKey, 'k')) ?? assert.fail();
      assert.deepEqual(token.claims, { a: 'ä' });
      assert.equal(token.keyId, 'k');
      assert.ok(verifyToken(token, publicKey));
      assert.ok(!verifyToken(token, createPublicKey(newKey())));
      assert.ok(!verifyToken({ ...token, algorithm: 'none' }, publicKey));
      assert.ok(!verifyToken({ ...token, signed: `${token.signed}x` }, publicKey));
      assert.ok(!verifyToken({ ...token, signature: Buffer.alloc(64) }, publicKey));
    }
  });

  test('whatever is none is none', () => {
    fc.assert(fc.property(fc.string(), (text) => assert.equal(openToken(text), undefined)));
    const token = signToken({ a: 1 }, key, 'k');
    const cut = fc.tuple(fc.nat(token.length - 1), fc.string({ maxLength: 3 }));
    fc.assert(
      fc.property(cut, ([at, text]) => {
        const opened = openToken(token.slice(0, at) + text + token.slice(at + 1));
        if (opened !== undefined) verifyToken(opened, publicKey);
      }),
    );
    assert.equal(openToken('x'.repeat(20_000)), undefined);
    assert.equal(openToken('W10.W10.x'), undefined);
  });

  test('keys are published as sets', () => {
    const { keys } = jsonWebKeys([publicKey, rsa.publicKey]);
    const [first = {}, second = {}] = keys;
    assert.deepEqual(Object.keys(first).toSorted(), ['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y']);
    assert.deepEqual(Object.keys(second).toSorted(), ['alg', 'e', 'kid', 'kty', 'n', 'use']);
    assert.equal((first as { kid: string }).kid, keyIdOf(publicKey));
    assert.deepEqual(discoveryDocument(issuer, 'https://10.0.0.1:6443', [publicKey]), {
      issuer,
      jwks_uri: 'https://10.0.0.1:6443/openid/v1/jwks',
      response_types_supported: ['id_token'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['ES256'],
    });
  });
});

const object = (kind: string, name: string, parts: Partial<Resource> = {}): Resource => ({
  apiVersion: 'v1',
  kind,
  metadata: { name, uid: `${kind}-${name}`, ...(kind === 'Node' ? {} : { namespace: 'a' }) },
  ...parts,
});
const world = (): MemoryObjects =>
  new MemoryObjects([
    object('ServiceAccount', 'robot'),
    object('Secret', 's'),
    object('Node', 'n'),
    object('Pod', 'p', { spec: { serviceAccountName: 'robot', nodeName: 'n' } }),
    object('Pod', 'other', { spec: { serviceAccountName: 'default' } }),
  ]);

interface Made {
  readonly token: string;
  readonly expirationTimestamp: string;
}

const from = { issuer, audiences: [issuer], key, nowMs: () => nowMs };
const make = async (objects: MemoryObjects, spec: object, name = 'robot'): Promise<Resource> =>
  await createToken(
    from,
    objects,
    { namespace: 'a', name },
    { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', metadata: {}, spec },
    signal,
  );
const statusOf = (request: Resource): Made => request['status'] as Made;

describe('token requests', () => {
  test('give an hour for the server itself when nothing is asked', async () => {
    const request = await make(world(), {});
    assert.deepEqual(request['spec'], { audiences: [issuer], expirationSeconds: 3600 });
    const { token, expirationTimestamp } = statusOf(request);
    assert.equal(expirationTimestamp, '2026-06-01T01:00:00Z');
    const { jti, ...claims } = (openToken(token) ?? assert.fail()).claims;
    assert.match(String(jti), /^[0-9a-f-]{36}$/);
    assert.deepEqual(claims, {
      aud: [issuer],
      exp: nowMs / 1000 + 3600,
      iat: nowMs / 1000,
      iss: issuer,
      'kubernetes.io': { namespace: 'a', serviceaccount: { name: 'robot', uid: 'ServiceAccount-robot' } },
      nbf: nowMs / 1000,
      sub: 'system:serviceaccount:a:robot',
    });
  });

  test('bind to pods (with their node), secrets and nodes', async () => {
    const bound = async (kind: string, name: string): Promise<unknown> => {
      const { token } = statusOf(await make(world(), { boundObjectRef: { apiVersion: 'v1', kind, name } }));
      const own = (openToken(token) ?? assert.fail()).claims['kubernetes.io'] as Record<string, unknown>;
      return [own['pod'], own['node'], own['secret']].map((one) => (one as { uid: string } | undefined)?.uid);
    };
    assert.deepEqual(await bound('Pod', 'p'), ['Pod-p', 'Node-n', undefined]);
    assert.deepEqual(await bound('Secret', 's'), [undefined, undefined, 'Secret-s']);
    assert.deepEqual(await bound('Node', 'n'), [undefined, 'Node-n', undefined]);
  });

  test('refuse what cannot be, in upstream words', async () => {
    const rows: readonly (readonly [object, string])[] = [
      [{ expirationSeconds: 599 }, 'Invalid value: 599: may not specify a duration less than 10 minutes'],
      [{ expirationSeconds: 2 ** 32 + 1 }, 'may not specify a duration larger than 2^32 seconds'],
      [{ boundObjectRef: { kind: 'Pod', name: 'gone' } }, 'pods "gone" not found'],
      [
        { boundObjectRef: { kind: 'Pod', name: 'p', uid: 'x' } },
        'the UID in the bound object reference (x) does not match',
      ],
      [
        { boundObjectRef: { kind: 'Pod', name: 'other' } },
        'cannot bind token for serviceaccount "robot" to pod running',
      ],
      [
        { boundObjectRef: { apiVersion: 'v1', kind: 'Service', name: 'x' } },
        'cannot bind token to object of type v1, Kind=Service',
      ],
    ];
    for (const [spec, text] of rows)
      await assert.rejects(make(world(), spec), (error) => error instanceof ApiError && error.message.includes(text));
    await assert.rejects(make(world(), {}, 'gone'), /^ApiError|serviceaccounts "gone" not found/);
  });
});

describe('service account tokens', () => {
  const clock = { nowMs };
  const ask = async (objects: MemoryObjects, token: string, audiences = [issuer]) =>
    await serviceAccountTokens(issuer, [key], objects, () => clock.nowMs).authenticateToken(token, audiences, signal);
  const tokenFor = async (objects: MemoryObjects, spec: object = {}): Promise<string> =>
    statusOf(await make(objects, spec)).token;
  const refused = (text: RegExp) => (error: unknown) =>
    error instanceof StatusError && error.reason === 'Unauthorized' && text.test(error.message);

  test('tell the account, its groups and what they are bound to', async () => {
    const objects = world();
    const token = await tokenFor(objects, { boundObjectRef: { kind: 'Pod', name: 'p' }, audiences: ['x', issuer] });
    const { user, audiences } = (await ask(objects, token, ['y', issuer])) ?? assert.fail();
    assert.deepEqual(audiences, [issuer]);
    const { 'authentication.kubernetes.io/credential-id': id, ...extra } = user.extra;
    assert.match(id?.[0] ?? '', /^JTI=/);
    assert.deepEqual(
      { ...user, extra },
      {
        name: 'system:serviceaccount:a:robot',
        uid: 'ServiceAccount-robot',
        groups: ['system:serviceaccounts', 'system:serviceaccounts:a'],
        extra: {
          'authentication.kubernetes.io/node-name': ['n'],
          'authentication.kubernetes.io/node-uid': ['Node-n'],
          'authentication.kubernetes.io/pod-name': ['p'],
          'authentication.kubernetes.io/pod-uid': ['Pod-p'],
        },
      },
    );
  });

  test('end with their time, their account, and what they are bound to', async () => {
    const objects = world();
    const authenticator = serviceAccountTokens(issuer, [key], objects, () => clock.nowMs);
    const ask = async (token: string) => await authenticator.authenticateToken(token, [issuer], signal);
    const token = await tokenFor(objects, { boundObjectRef: { kind: 'Pod', name: 'p' } });
    assert.ok(await ask(token));
    clock.nowMs = nowMs + 3_600_000;
    await assert.rejects(ask(token), refused(/expired/));
    clock.nowMs = nowMs - 1000;
    await assert.rejects(ask(token), refused(/not valid yet/));
    clock.nowMs = nowMs;
    const ending = {
      name: 'p',
      namespace: 'a',
      uid: 'Pod-p',
      deletionTimestamp: new Date(nowMs - 59_000).toISOString(),
    };
    objects.put({ apiVersion: 'v1', kind: 'Pod', metadata: ending });
    assert.ok(await ask(token));
    clock.nowMs = nowMs + 1000;
    await assert.rejects(ask(token), refused(/pods "p" is not there/));
    clock.nowMs = nowMs;
    objects.put({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p', namespace: 'a', uid: 'another' } });
    await assert.rejects(ask(token), refused(/pods "p" is not there/));
    const plain = await tokenFor(objects);
    objects.remove({ group: '', resource: 'serviceaccounts' }, 'a', 'robot');
    await assert.rejects(ask(plain), refused(/serviceaccounts "robot" is not there/));
  });

  test('of others are not taken', async () => {
    const objects = world();
    assert.equal(await ask(objects, 'abcdef.0123456789abcdef'), undefined);
    assert.equal(await ask(objects, signToken({ iss: issuer }, key, '')), undefined);
    const claims = (openToken(await tokenFor(objects)) ?? assert.fail()).claims;
    assert.equal(await ask(objects, signToken({ ...claims, iss: 'https://other' }, key, '')), undefined);
    assert.equal(await ask(objects, signToken({ ...claims, sub: 'system:serviceaccount:a:boss' }, key, '')), undefined);
    await assert.rejects(ask(objects, signToken(claims, newKey(), '')), refused(/not signed by this cluster/));
    await assert.rejects(ask(objects, signToken(claims, newKey(), keyIdOf(publicKey))), refused(/not signed/));
    assert.ok(await ask(objects, signToken(claims, key, 'a key that was renamed')));
    await assert.rejects(
      ask(objects, await tokenFor(objects, { audiences: ['vault'] })),
      refused(/it is for \["vault"\]/),
    );
    const [head = '', body = ''] = (await tokenFor(objects)).split('.');
    const der = sign('sha256', Buffer.from(`${head}.${body}`), key).toString('base64url');
    await assert.rejects(ask(objects, `${head}.${body}.${der}`), refused(/not signed/));
  });

  test('claims of any shape are read or refused', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.constantFrom('aud', 'exp', 'iat', 'iss', 'sub', 'kubernetes.io'), fc.jsonValue()),
        (json) => {
          assert.equal(readClaims(json), undefined);
        },
      ),
    );
  });
});
