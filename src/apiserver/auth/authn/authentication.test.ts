import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import * as fc from 'fast-check';

import { StatusError } from '#base/errors.ts';
import { nameOf } from '#formats/x509/name.ts';
import { certificatesOfPem } from '#formats/x509/pem.ts';
import { MemoryObjects } from '#kit/kube-auth/memory-objects.ts';
import type { Resource } from '#kube/resource.ts';
import { ApiError } from '#kube/status.ts';
import { issueCertificate, makeAuthority, publicKeyBytes, type Authority, type Wanted } from '#pki/authority.ts';
import { clientCertificate, serverCertificate } from '#pki/certificates.ts';
import { newKey } from '#pki/key-file.ts';

import type { Credentials } from '../authenticator.ts';
import type { Authorizer, ResourceAttributes } from '../authorizer.ts';
import { anonymousAuthenticator, authenticatorChain, healthPaths } from './authenticator-chain.ts';
import { bearerTokens, type TokenAuthenticator } from './bearer-token.ts';
import { bootstrapTokens } from './bootstrap-tokens.ts';
import { clientCertificates } from './client-certificate.ts';
import { impersonated } from './impersonation.ts';

const nowMs = Date.UTC(2026, 5, 1);
const { signal } = new AbortController();
const request = (parts: Partial<Credentials>): Credentials => ({
  headers: {},
  path: '/api',
  clientCertificate: undefined,
  ...parts,
});
const unauthorized = (text: RegExp) => (error: unknown) =>
  error instanceof StatusError && error.reason === 'Unauthorized' && text.test(error.message);

describe('client certificates', () => {
  const authority = makeAuthority('kubernetes', newKey(), nowMs);
  const issue = (order: Omit<Wanted, 'publicKey'>, by: Authority = authority): Uint8Array =>
    issueCertificate(by, { ...order, publicKey: publicKeyBytes(newKey()) }, nowMs);
  let clock = nowMs;
  const authenticator = clientCertificates([authority.certificate], () => clock);
  const ask = async (certificate: Uint8Array | undefined) =>
    await authenticator.authenticate(request({ clientCertificate: certificate }), signal);

  test('name the user and the groups', async () => {
    const certificate = issue(clientCertificate('jane', ['dev', 'ops']));
    for (let round = 0; round < 2; round += 1) {
      const { user } = (await ask(certificate)) ?? assert.fail();
      assert.deepEqual([user.name, user.groups, user.uid], ['jane', ['dev', 'ops'], '']);
      assert.match(user.extra['authentication.kubernetes.io/credential-id']?.[0] ?? '', /^X509SHA256=[0-9a-f]{64}$/);
    }
    assert.equal(await ask(undefined), undefined);
  });

  test('are refused from other authorities, for servers, without name, and out of time', async () => {
    const other = makeAuthority('kubernetes', newKey(), nowMs);
    await assert.rejects(ask(issue(clientCertificate('jane', []), other)), unauthorized(/unknown authority/));
    await assert.rejects(ask(issue(serverCertificate('jane', ['a']))), unauthorized(/incompatible key usage/));
    const nameless = { ...clientCertificate('x', []), subject: nameOf('').slice(0, 0) };
    await assert.rejects(ask(issue(nameless)), unauthorized(/no common name/));
    const certificate = issue(clientCertificate('jane', []));
    await ask(certificate);
    clock = nowMs + 400 * 86_400_000;
    await assert.rejects(ask(certificate), unauthorized(/expired or is not yet valid/));
    clock = nowMs - 2 * 86_400_000;
    await assert.rejects(ask(certificate), unauthorized(/expired or is not yet valid/));
    clock = nowMs;
    await assert.rejects(ask(Buffer.from('nonsense')), StatusError);
    assert.equal(certificatesOfPem('').length, 0);
  });
});

describe('bootstrap tokens', () => {
  const encoded = (data: Record<string, string>): Record<string, string> =>
    Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString('base64')]));
  const good = {
    'token-id': 'abcdef',
    'token-secret': '0123456789abcdef',
    'usage-bootstrap-authentication': 'true',
    expiration: '2026-06-01T01:00:00Z',
    'auth-extra-groups': 'system:bootstrappers:worker,system:masters',
  };
  const secret = (data: Record<string, string>, parts: Partial<Resource> = {}): Resource => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { namespace: 'kube-system', name: 'bootstrap-token-abcdef' },
    type: 'bootstrap.kubernetes.io/token',
    data: encoded(data),
    ...parts,
  });
  const ask = async (stored: Resource, token = 'abcdef.0123456789abcdef') =>
    await bootstrapTokens(new MemoryObjects([stored]), () => nowMs).authenticateToken(token, ['api'], signal);

  test('let a machine in, with groups of its own kind only', async () => {
    const found = (await ask(secret(good))) ?? assert.fail();
    assert.deepEqual(found.user, {
      name: 'system:bootstrap:abcdef',
      uid: '',
      groups: ['system:bootstrappers', 'system:bootstrappers:worker'],
      extra: {},
    });
  });

  test("of another form are somebody else's", async () => {
    await fc.assert(
      fc.asyncProperty(fc.string(), async (token) => assert.equal(await ask(secret(good), token), undefined)),
    );
  });

  test('are refused when anything is wrong', async () => {
    const rows: readonly (readonly [Resource, RegExp])[] = [
      [secret(good, { type: 'Opaque' }), /not of type/],
      [secret({ ...good, 'token-secret': '0123456789abcdee' }), /second half/],
      [secret({ ...good, 'token-secret': '' }), /second half/],
      [secret({ ...good, 'token-id': 'abcdee' }), /another token/],
      [secret({ ...good, expiration: '2026-05-31T23:59:59Z' }), /expired/],
      [secret({ ...good, expiration: 'tomorrow' }), /expired/],
      [secret({ ...good, 'usage-bootstrap-authentication': 'yes' }), /not for authentication/],
      [secret(good, { metadata: { ...secret(good).metadata, deletionTimestamp: '2026-06-01T00:00:00Z' } }), /deleted/],
      [secret(good, { metadata: { namespace: 'default', name: 'bootstrap-token-abcdef' } }), /no such token/],
    ];
    for (const [stored, text] of rows) await assert.rejects(ask(stored), unauthorized(text));
  });
});

describe('bearer tokens', () => {
  const kind: TokenAuthenticator = {
    authenticateToken: async (token, audiences) =>
      token === 'good' ? { user: { name: 'jane', uid: '', groups: [], extra: {} }, audiences } : undefined,
  };
  const ask = async (headers: Credentials['headers']) =>
    await bearerTokens([kind], ['api']).authenticate(request({ headers }), signal);

  test('come by header or, from browsers, by subprotocol', async () => {
    const protocol = `base64url.bearer.authorization.k8s.io.${Buffer.from('good').toString('base64url')}`;
    for (const headers of [
      { authorization: 'Bearer good' },
      { authorization: 'bearer  good' },
      { 'sec-websocket-protocol': `${protocol}, v5.channel.k8s.io` },
      { 'sec-websocket-protocol': ['v5.channel.k8s.io', protocol] },
    ])
      assert.equal((await ask(headers))?.user.name, 'jane');
  });

  test('other headers are none; an unknown token is refused', async () => {
    for (const authorization of [undefined, '', 'Basic good', 'Bearer', 'Bearer a b'])
      assert.equal(await ask({ authorization }), undefined);
    await assert.rejects(ask({ authorization: 'Bearer bad' }), unauthorized(/no kind/));
  });
});

describe('all together', () => {
  const known = { user: { name: 'jane', uid: '', groups: ['dev'], extra: {} }, audiences: [] };
  const chain = authenticatorChain(
    [
      {
        authenticate: async ({ headers }) => {
          if (headers['x'] === 'bad') throw new StatusError('Unauthorized', 'wrong');
          if (headers['x'] === 'broken') throw new TypeError('defect');
          return undefined;
        },
      },
      { authenticate: async ({ headers }) => (headers['y'] === undefined ? undefined : known) },
    ],
    anonymousAuthenticator(healthPaths),
  );
  const ask = async (path: string, headers: Credentials['headers'] = {}) =>
    (await chain.authenticate(request({ path, headers }), signal)).user;

  test('who is known is in the group of the authenticated', async () => {
    assert.deepEqual((await ask('/api', { y: '' })).groups, ['dev', 'system:authenticated']);
    assert.equal((await ask('/api', { x: 'bad', y: '' })).name, 'jane');
  });

  test('everybody may ask for health, unless with wrong credentials', async () => {
    for (const path of ['/livez', '/readyz/ping', '/healthz']) {
      const { name, groups } = await ask(path);
      assert.deepEqual([name, groups], ['system:anonymous', ['system:unauthenticated']]);
    }
    const refused = (error: unknown): boolean => error instanceof ApiError && error.message === 'Unauthorized';
    for (const path of ['/', '/api', '/livezz', '/metrics']) await assert.rejects(ask(path), refused);
    await assert.rejects(ask('/livez', { x: 'bad' }), refused);
    await assert.rejects(ask('/livez', { x: 'broken' }), TypeError);
  });
});

describe('impersonation', () => {
  const admin = { name: 'admin', uid: '', groups: ['system:masters'], extra: {} };
  const asked: string[] = [];
  const authorizer = (refused = ''): Authorizer => ({
    authorize: (attributes) => {
      const { group, resource, subresource, namespace, name } = attributes as ResourceAttributes;
      const text = `${[group, resource, subresource, namespace].filter((part) => part !== '').join('/')} ${name}`;
      asked.push(text);
      return { verdict: text === refused ? 'no-opinion' : 'allow', reason: '' };
    },
  });

  test('without headers nothing changes', () => {
    assert.equal(impersonated(admin, { accept: '*/*' }, authorizer()), admin);
  });

  test('each part is authorized', () => {
    asked.length = 0;
    const headers = {
      'impersonate-user': 'jane',
      'impersonate-group': ['dev', 'a, b'],
      'impersonate-uid': '7',
      'impersonate-extra-example.org%2fscopes': ['x', 'y'],
    };
    assert.deepEqual(impersonated(admin, headers, authorizer()), {
      name: 'jane',
      uid: '7',
      groups: ['dev', 'a, b', 'system:authenticated'],
      extra: { 'example.org/scopes': ['x', 'y'] },
    });
    assert.deepEqual(asked, [
      'users jane',
      'groups dev',
      'groups a, b',
      'authentication.k8s.io/uids 7',
      'authentication.k8s.io/userextras/example.org/scopes x',
      'authentication.k8s.io/userextras/example.org/scopes y',
    ]);
    assert.throws(
      () => impersonated(admin, headers, authorizer('groups dev')),
      (error) =>
        error instanceof ApiError &&
        error.message ===
          'groups "dev" is forbidden: User "admin" cannot impersonate resource "groups" in API group "" at the cluster scope',
    );
  });

  test('service accounts have their groups, the anonymous user his', () => {
    asked.length = 0;
    const account = impersonated(admin, { 'impersonate-user': 'system:serviceaccount:a:robot' }, authorizer());
    assert.deepEqual(account.groups, ['system:serviceaccounts', 'system:serviceaccounts:a', 'system:authenticated']);
    assert.deepEqual(asked, ['serviceaccounts/a robot']);
    const nobody = impersonated(admin, { 'impersonate-user': 'system:anonymous' }, authorizer());
    assert.deepEqual(nobody.groups, ['system:unauthenticated']);
    const odd = impersonated(admin, { 'impersonate-user': 'system:serviceaccount:a' }, authorizer());
    assert.deepEqual(odd.groups, ['system:authenticated']);
  });

  test('groups need a user', () => {
    assert.throws(
      () => impersonated(admin, { 'impersonate-group': 'dev' }, authorizer()),
      (error) => error instanceof ApiError && error.statusReason === 'BadRequest',
    );
  });
});
