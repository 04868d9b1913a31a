import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { MemoryObjects } from '#kit/kube-auth/memory-objects.ts';
import type { Resource } from '#kube/resource.ts';
import { ApiError } from '#kube/status.ts';
import { issueCertificate, makeAuthority, publicKeyBytes } from '#pki/authority.ts';
import { clientCertificate } from '#pki/certificates.ts';
import { newKey } from '#pki/key-file.ts';

import { openAuth, type Auth } from './open-auth.ts';
import type { UserInfo } from './user.ts';

const nowMs = Date.UTC(2026, 5, 1);
const authority = makeAuthority('kubernetes', newKey(), nowMs);
const account: Resource = {
  apiVersion: 'v1',
  kind: 'ServiceAccount',
  metadata: { namespace: 'a', name: 'robot', uid: 'u' },
};
const viewer: Resource = {
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'RoleBinding',
  metadata: { namespace: 'a', name: 'b' },
  roleRef: { kind: 'ClusterRole', name: 'system:aggregate-to-view' },
  subjects: [{ kind: 'User', name: 'jane' }],
};
const jane: UserInfo = { name: 'jane', uid: '', groups: ['system:authenticated'], extra: {} };

async function started(t: { after(work: () => void): void }): Promise<Auth> {
  const controller = new AbortController();
  t.after(() => controller.abort());
  const auth = openAuth({
    objects: new MemoryObjects([account, viewer]),
    authorities: [authority.certificate],
    serviceAccountKey: newKey(),
    issuer: 'https://kubernetes.default.svc.cluster.local',
    serverUrl: 'https://10.0.0.1:6443',
    nowMs: () => nowMs,
    onError: (error) => assert.fail(String(error)),
  });
  await auth.start(controller.signal);
  // The watches deliver what start has written.
  await new Promise((resolve) => setImmediate(resolve));
  return auth;
}

const { signal } = new AbortController();
const ask = async (auth: Auth, kind: string, spec: object, user = jane, namespace = ''): Promise<unknown> => {
  const group = /Access|Rules/.test(kind) ? 'authorization.k8s.io' : 'authentication.k8s.io';
  const review = { apiVersion: `${group}/v1`, kind, metadata: {}, spec };
  return (await auth.review(review, namespace, user, signal))?.['status'];
};
const pods = { verb: 'list', resource: 'pods', namespace: 'a' };
const refused = (reason: string, text: string) => (error: unknown) =>
  error instanceof ApiError && error.statusReason === reason && error.message.includes(text);

describe('reviews', () => {
  test('may I', async (t) => {
    const auth = await started(t);
    const allowed = {
      allowed: true,
      reason: 'RBAC: allowed by RoleBinding "b/a" of ClusterRole "system:aggregate-to-view" to User "jane"',
    };
    assert.deepEqual(await ask(auth, 'SelfSubjectAccessReview', { resourceAttributes: pods }), allowed);
    assert.deepEqual(await ask(auth, 'SelfSubjectAccessReview', { resourceAttributes: { ...pods, namespace: 'b' } }), {
      allowed: false,
    });
    const path = { nonResourceAttributes: { verb: 'get', path: '/version' } };
    assert.equal(((await ask(auth, 'SelfSubjectAccessReview', path)) as { allowed: boolean }).allowed, true);
  });

  test('may somebody', async (t) => {
    const auth = await started(t);
    const is = async (spec: object): Promise<unknown> =>
      ((await ask(auth, 'SubjectAccessReview', spec)) as { allowed: boolean }).allowed;
    assert.equal(await is({ user: 'jane', resourceAttributes: pods }), true);
    assert.equal(await is({ user: 'joe', groups: ['system:masters'], resourceAttributes: pods }), true);
    assert.equal(await is({ user: 'joe', resourceAttributes: pods }), false);
    const selector = { requirements: [{ key: 'spec.nodeName', operator: 'In', values: ['n'] }] };
    const node = { user: 'system:node:n', groups: ['system:nodes'] };
    assert.equal(await is({ ...node, resourceAttributes: { ...pods, fieldSelector: selector } }), true);
    assert.equal(await is({ ...node, resourceAttributes: pods }), false);
    const local = await ask(auth, 'LocalSubjectAccessReview', { user: 'jane', resourceAttributes: pods }, jane, 'a');
    assert.equal((local as { allowed: boolean }).allowed, true);
  });

  test('questions that are none are refused', async (t) => {
    const auth = await started(t);
    const rows = [
      ['SubjectAccessReview', { resourceAttributes: pods }, 'at least one of user or group must be specified'],
      ['SelfSubjectAccessReview', {}, 'exactly one of nonResourceAttributes or resourceAttributes must be specified'],
      [
        'SelfSubjectAccessReview',
        { resourceAttributes: pods, nonResourceAttributes: {} },
        'cannot be specified in combination with resourceAttributes',
      ],
      [
        'LocalSubjectAccessReview',
        { user: 'x', resourceAttributes: { ...pods, namespace: 'b' } },
        'must match metadata.namespace',
      ],
    ] as const;
    for (const [kind, spec, text] of rows)
      await assert.rejects(ask(auth, kind, spec, jane, 'a'), refused('Invalid', text));
    await assert.rejects(ask(auth, 'SelfSubjectRulesReview', {}), refused('BadRequest', 'no namespace on request'));
    await assert.rejects(ask(auth, 'TokenReview', {}), refused('BadRequest', 'token is required'));
    assert.equal(await ask(auth, 'TokenRequest', {}), undefined);
  });

  test('what may I', async (t) => {
    const auth = await started(t);
    type Rules = {
      readonly resourceRules: readonly object[];
      readonly nonResourceRules: readonly object[];
      readonly incomplete: boolean;
    };
    const rules = (await ask(auth, 'SelfSubjectRulesReview', { namespace: 'a' })) as Rules;
    const own = { verbs: ['create'], apiGroups: ['authentication.k8s.io'], resources: ['selfsubjectreviews'] };
    assert.ok(rules.resourceRules.some((rule) => JSON.stringify(rule) === JSON.stringify(own)));
    assert.ok(rules.resourceRules.length > 10 && rules.nonResourceRules.length >= 2 && !rules.incomplete);
    const elsewhere = (await ask(auth, 'SelfSubjectRulesReview', { namespace: 'b' })) as Rules;
    assert.equal(elsewhere.resourceRules.length, 2);
    const masters = { ...jane, name: 'joe', groups: ['system:masters'] };
    const all = (await ask(auth, 'SelfSubjectRulesReview', { namespace: 'b' }, masters)) as Rules;
    assert.deepEqual(all.resourceRules[0], { verbs: ['*'], apiGroups: ['*'], resources: ['*'] });
  });

  test('who am I, and whose token is this', async (t) => {
    const auth = await started(t);
    assert.deepEqual(await ask(auth, 'SelfSubjectReview', {}, { ...jane, uid: '7', extra: { a: ['b'] } }), {
      userInfo: { username: 'jane', uid: '7', groups: ['system:authenticated'], extra: { a: ['b'] } },
    });
    const request = {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      metadata: {},
      spec: { audiences: ['vault'] },
    };
    const made = await auth.createToken({ namespace: 'a', name: 'robot' }, request, signal);
    const { token } = made['status'] as { token: string };
    type Status = {
      authenticated?: boolean;
      user: { username?: string; groups?: string[] };
      audiences?: string[];
      error?: string;
    };
    const review = async (spec: object): Promise<Status> => (await ask(auth, 'TokenReview', spec)) as Status;
    const good = await review({ token, audiences: ['vault', 'x'] });
    assert.deepEqual(
      [good.authenticated, good.user.username, good.audiences],
      [true, 'system:serviceaccount:a:robot', ['vault']],
    );
    assert.ok(good.user.groups?.includes('system:authenticated'));
    assert.match((await review({ token })).error ?? '', /it is for \["vault"\]/);
    assert.deepEqual(await review({ token: 'nonsense' }), { user: {} });
  });
});

describe('identities', () => {
  const certificate = (user: string, groups: readonly string[]): Uint8Array =>
    issueCertificate(authority, { ...clientCertificate(user, groups), publicKey: publicKeyBytes(newKey()) }, nowMs);

  test('come from certificates and tokens, and act for others when they may', async (t) => {
    const auth = await started(t);
    const admin = certificate('admin', ['system:masters']);
    const headers = { 'impersonate-user': 'jane' };
    const both = await auth.identify({ headers, path: '/api', clientCertificate: admin }, signal);
    assert.deepEqual([both.user.name, both.actor.name], ['jane', 'admin']);
    await assert.rejects(
      auth.identify(
        { headers: { 'impersonate-user': 'admin' }, path: '/', clientCertificate: certificate('jane', []) },
        signal,
      ),
      refused(
        'Forbidden',
        'users "admin" is forbidden: User "jane" cannot impersonate resource "users" in API group ""',
      ),
    );
    const request = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', metadata: {}, spec: {} };
    const { token } = (await auth.createToken({ namespace: 'a', name: 'robot' }, request, signal))['status'] as {
      token: string;
    };
    const robot = await auth.identify(
      { headers: { authorization: `Bearer ${token}` }, path: '/api', clientCertificate: undefined },
      signal,
    );
    assert.equal(robot.user.name, 'system:serviceaccount:a:robot');
    assert.ok(robot.user.groups.includes('system:authenticated'));
    await assert.rejects(
      auth.identify({ headers: {}, path: '/api', clientCertificate: undefined }, signal),
      refused('Unauthorized', 'Unauthorized'),
    );
  });

  test('documents of discovery', async (t) => {
    const auth = await started(t);
    assert.ok('issuer' in (auth.document('/.well-known/openid-configuration') ?? {}));
    assert.ok('keys' in (auth.document('/openid/v1/jwks') ?? {}));
    assert.equal(auth.document('/openid/v1'), undefined);
  });
});
