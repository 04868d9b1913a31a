import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { openMemoryApi, type MemoryApi, type MemoryApiOptions } from '#kit/kube-api/memory-api.ts';
import { ApiError, forbidden } from '#kube/status.ts';

import { auditLog } from '../audit/audit-log.ts';
import { parseAuditPolicy } from '../audit/audit-policy.ts';
import type { Authorizer } from '../auth/authorizer.ts';

type Owner = Parameters<typeof openMemoryApi>[0];
type Events = Readonly<Record<string, unknown>>[];

async function audited(t: Owner, options: MemoryApiOptions = {}): Promise<{ api: MemoryApi; events: Events }> {
  const events: Record<string, unknown>[] = [];
  const sink = {
    add: (event: object) => void events.push(event as Record<string, unknown>),
    [Symbol.asyncDispose]: async () => {},
  };
  const rules = [{ level: 'Metadata' }];
  const policy = { apiVersion: 'audit.k8s.io/v1', kind: 'Policy', rules, omitStages: ['RequestReceived'] };
  const audit = auditLog(parseAuditPolicy(policy), sink, () => 0);
  return { api: await openMemoryApi(t, { ...options, audit }), events };
}

describe('the audit log tells of a request', () => {
  test('who allowed it, by the name that the answer has', async (t) => {
    const authorizer: Authorizer = { authorize: () => ({ verdict: 'allow', reason: 'RBAC: because' }) };
    const { api, events } = await audited(t, { auth: { authorizer } });
    const { headers } = await api.get('/api/v1/nodes');
    assert.equal(headers['audit-id'], events[0]?.['auditID']);
    assert.deepEqual(events[0]?.['annotations'], {
      'authorization.k8s.io/decision': 'allow',
      'authorization.k8s.io/reason': 'RBAC: because',
    });
    await api.get('/api/v1/nodes', { 'audit-id': 'from-a-proxy' });
    assert.equal(events[1]?.['auditID'], 'from-a-proxy');
  });

  test('that was refused, and why', async (t) => {
    const authorizer: Authorizer = { authorize: () => ({ verdict: 'no-opinion', reason: '' }) };
    const { api, events } = await audited(t, { auth: { authorizer } });
    assert.equal((await api.get('/api/v1/nodes')).status, 403);
    assert.deepEqual(
      events.map(({ stage, annotations }) => [stage, annotations]),
      [['ResponseComplete', { 'authorization.k8s.io/decision': 'forbid', 'authorization.k8s.io/reason': '' }]],
    );
  });

  test('of somebody who could not say who he is', async (t) => {
    const identify = async (): Promise<never> => await Promise.reject(new ApiError('Unauthorized', 'Unauthorized'));
    const { api, events } = await audited(t, { auth: { identify } });
    assert.equal((await api.get('/api/v1/nodes', { authorization: 'Bearer x' })).status, 401);
    await api.get('/api/v1/nodes');
    assert.deepEqual(
      events.map(({ stage, user, responseStatus }) => [stage, user, responseStatus]),
      ['attempted: bearer', 'no credentials provided'].map((how) => [
        'ResponseStarted',
        {},
        { metadata: {}, message: `Authentication failed, ${how}`, code: 401 },
      ]),
    );
  });

  test('of somebody who may not be whom he wants to be', async (t) => {
    const jane = { name: 'jane', uid: '', groups: [], extra: {} };
    const identify: NonNullable<NonNullable<MemoryApiOptions['auth']>['identify']> = async ({ onActor }) => {
      onActor?.(jane);
      return await Promise.reject(forbidden({ group: '', resource: 'users' }, 'joe', 'no'));
    };
    const { api, events } = await audited(t, { auth: { identify } });
    assert.equal((await api.get('/api/v1/nodes')).status, 403);
    assert.deepEqual(
      events.map(({ stage, user, impersonatedUser }) => [stage, user, impersonatedUser]),
      [['ResponseComplete', { username: 'jane' }, undefined]],
    );
  });
});
