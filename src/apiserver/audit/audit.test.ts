import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';

import { tempFolder } from '#kit/temp-root.ts';
import { forbidden } from '#kube/status.ts';

import type { Attributes } from '../auth/authorizer.ts';
import { AuditFile } from './audit-file.ts';
import { auditLog } from './audit-log.ts';
import { auditDecision, parseAuditPolicy } from './audit-policy.ts';

const nowMs = Date.UTC(2026, 5, 1);
const jane = { name: 'jane', uid: '', groups: ['dev'], extra: {} };

/** `get core pods/log a/name` or `get /healthz`. */
function asked(text: string): Attributes {
  const [verb = '', where = '', what = '', place = ''] = text.split(' ');
  if (where.startsWith('/')) return { type: 'path', user: jane, verb, path: where };
  const [resource = '', subresource = ''] = what.split('/');
  const [namespace = '', name = ''] = place.split('/');
  const group = where === 'core' ? '' : where;
  return { type: 'resource', user: jane, verb, group, version: 'v1', resource, subresource, namespace, name };
}

const policyOf = (...rules: readonly object[]): ReturnType<typeof parseAuditPolicy> =>
  parseAuditPolicy({ apiVersion: 'audit.k8s.io/v1', kind: 'Policy', rules, omitStages: ['RequestReceived'] });

describe('the policy', () => {
  const rows: readonly (readonly [object, readonly string[], readonly string[]])[] = [
    [{}, ['get core pods a/b', 'get /healthz'], []],
    [{ users: ['jane'], verbs: ['get'] }, ['get core pods'], ['list core pods']],
    [{ users: ['joe'] }, [], ['get core pods']],
    [{ userGroups: ['ops', 'dev'] }, ['get core pods'], []],
    [{ namespaces: ['a'] }, ['get core pods a/b'], ['get core pods b/b', 'get /healthz']],
    [{ resources: [{ group: '' }] }, ['get core pods', 'get core pods/log'], ['get apps deployments', 'get /healthz']],
    [{ resources: [{ group: '', resources: ['pods'] }] }, ['get core pods'], ['get core pods/log', 'get core nodes']],
    [{ resources: [{ group: '', resources: ['pods/*'] }] }, ['get core pods/log'], ['get core pods']],
    [{ resources: [{ group: '', resources: ['*/status'] }] }, ['get core pods/status'], ['get core pods/log']],
    [
      { resources: [{ group: '', resources: ['pods'], resourceNames: ['b'] }] },
      ['get core pods a/b'],
      ['get core pods a/c'],
    ],
    [{ nonResourceURLs: ['/healthz*'] }, ['get /healthz/ping'], ['get /livez', 'get core pods']],
  ];
  for (const [rule, matching, others] of rows) {
    test(JSON.stringify(rule), () => {
      const policy = policyOf({ level: 'Request', ...rule });
      for (const text of matching) assert.equal(auditDecision(policy, asked(text)).level, 'Request', text);
      for (const text of others) assert.equal(auditDecision(policy, asked(text)).level, 'None', text);
    });
  }

  test('the first rule decides, and secrets stay secret', () => {
    const policy = policyOf({ level: 'None', verbs: ['watch'] }, { level: 'RequestResponse' });
    assert.equal(auditDecision(policy, asked('watch core pods')).level, 'None');
    assert.equal(auditDecision(policy, asked('get core pods')).level, 'RequestResponse');
    const secret = [
      'get core secrets',
      'create core serviceaccounts/token',
      'create authentication.k8s.io tokenreviews',
    ];
    for (const text of secret) assert.equal(auditDecision(policy, asked(text)).level, 'Metadata', text);
    assert.equal(auditDecision(policy, asked('watch core secrets')).level, 'None');
  });

  test('what is wrong is named', () => {
    assert.throws(() => parseAuditPolicy({}), /"kind": it is no Policy/);
    assert.throws(() => policyOf(), /"rules": it is empty/);
    assert.throws(() => policyOf({ level: 'All' }), /"rules\[0\].level": it is "All"; give one of None, Metadata/);
    assert.throws(() => policyOf({ level: 'None', omitStages: ['x'] }), /"rules\[0\].omitStages": "x" is no stage/);
  });
});

describe('events', () => {
  const events: Record<string, unknown>[] = [];
  const sink = {
    add: (event: object) => void events.push(event as Record<string, unknown>),
    [Symbol.asyncDispose]: async () => {},
  };
  const request = (text: string) => ({
    id: 'id',
    attributes: asked(text),
    identity: { user: jane, actor: { ...jane, name: 'admin' } },
    uri: '/api/v1/namespaces/a/pods/b?dryRun=All',
    sourceAddress: '10.0.0.1',
    userAgent: 'kubectl',
    receivedMs: nowMs,
  });

  test('tell who did what to which object, and what became of it', () => {
    events.length = 0;
    const log = auditLog(policyOf({ level: 'RequestResponse', omitManagedFields: true }), sink, () => nowMs + 5);
    const trail = log.begin(request('create core pods a/b')) ?? assert.fail();
    assert.ok(trail.wantsRequest && trail.wantsResponse);
    trail.annotate('k', 'first');
    trail.annotate('k', 'second');
    const status = forbidden({ group: '', resource: 'pods' }, 'b', 'no').toStatus();
    const object = { metadata: { name: 'b', managedFields: [{}] }, spec: {} };
    trail.completed({ code: 403, status, requestObject: object, responseObject: { items: [object] } });
    assert.deepEqual(events, [
      {
        kind: 'Event',
        apiVersion: 'audit.k8s.io/v1',
        level: 'RequestResponse',
        auditID: 'id',
        stage: 'ResponseComplete',
        requestURI: '/api/v1/namespaces/a/pods/b?dryRun=All',
        verb: 'create',
        user: { username: 'admin', groups: ['dev'] },
        impersonatedUser: { username: 'jane', groups: ['dev'] },
        sourceIPs: ['10.0.0.1'],
        userAgent: 'kubectl',
        objectRef: { resource: 'pods', namespace: 'a', name: 'b', apiVersion: 'v1' },
        responseStatus: {
          metadata: {},
          status: 'Failure',
          message: 'pods "b" is forbidden: no',
          reason: 'Forbidden',
          code: 403,
        },
        requestObject: { spec: {}, metadata: { name: 'b' } },
        responseObject: { items: [{ spec: {}, metadata: { name: 'b' } }] },
        requestReceivedTimestamp: '2026-06-01T00:00:00.000000Z',
        stageTimestamp: '2026-06-01T00:00:00.005000Z',
        annotations: { k: 'first' },
      },
    ]);
  });

  test('less for lower levels, nothing for None', () => {
    events.length = 0;
    const all = {
      apiVersion: 'audit.k8s.io/v1',
      kind: 'Policy',
      rules: [{ level: 'None', verbs: ['list'] }, { level: 'Metadata' }],
    };
    const log = auditLog(parseAuditPolicy(all), sink, () => nowMs);
    assert.equal(log.begin(request('list core pods')), undefined);
    const trail = log.begin(request('watch core pods a/b')) ?? assert.fail();
    trail.started(200);
    trail.completed({ code: 200, requestObject: {}, responseObject: {} });
    assert.deepEqual(
      events.map(({ stage }) => stage),
      ['RequestReceived', 'ResponseStarted', 'ResponseComplete'],
    );
    assert.ok(events.every((event) => !('requestObject' in event) && !('responseObject' in event)));
    assert.ok(!trail.wantsRequest);
  });
});

test('the file is for its owner, turns over, and keeps what it may', async (t) => {
  const folder = tempFolder(t);
  const path = join(folder, 'audit.log');
  const onLost = (count: number, cause: unknown): void => assert.fail(`${String(count)} lost: ${String(cause)}`);
  for (let round = 0; round < 5; round += 1) {
    await using file = new AuditFile({ path, sizeBytesMost: 25, filesMost: 2, onLost });
    file.add({ round, text: 'ä' });
  }
  assert.deepEqual(readdirSync(folder).toSorted(), ['audit.log', 'audit.log.1', 'audit.log.2']);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  const lines = ['audit.log.2', 'audit.log.1', 'audit.log'].map((name) => readFileSync(join(folder, name), 'utf8'));
  assert.deepEqual(
    lines,
    [2, 3, 4].map((round) => `{"round":${String(round)},"text":"ä"}\n`),
  );
});

test('what is lost is told', async (t) => {
  const lost: number[] = [];
  const path = join(tempFolder(t), 'audit.log');
  await using file = new AuditFile({
    path,
    sizeBytesMost: 1e9,
    filesMost: 1,
    onLost: (count) => void lost.push(count),
  });
  const text = 'x'.repeat(9 * 1024 * 1024);
  for (let index = 0; index < 4; index += 1) file.add({ text });
  assert.ok(lost.length >= 1);
});
