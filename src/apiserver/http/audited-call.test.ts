import assert from 'node:assert/strict';
import { test } from 'node:test';

import { auditLog } from '../audit/audit-log.ts';
import { parseAuditPolicy } from '../audit/audit-policy.ts';
import { auditedCall } from './audited-call.ts';
import { jsonReply, textReply } from './call.ts';
import type { Exchange } from './exchange.ts';

test('bodies of both directions are noted when the policy wants them, failures with their words', async () => {
  const events: Record<string, unknown>[] = [];
  const sink = {
    add: (event: object) => void events.push(event as Record<string, unknown>),
    [Symbol.asyncDispose]: async () => {},
  };
  const of = async (level: string, reply: Parameters<typeof finish>[0], body?: string): Promise<unknown> => {
    const policy = parseAuditPolicy({
      apiVersion: 'audit.k8s.io/v1',
      kind: 'Policy',
      rules: [{ level }],
      omitStages: ['RequestReceived'],
    });
    events.length = 0;
    await finish(reply, body === undefined ? undefined : Promise.resolve(Buffer.from(body)), policy);
    const { responseStatus, requestObject, responseObject, userAgent } = events[0] ?? {};
    return events.length === 0 ? undefined : [responseStatus, requestObject, responseObject, userAgent];
  };
  const finish = async (
    reply: ReturnType<typeof jsonReply>,
    body: Promise<Buffer> | undefined,
    policy: ReturnType<typeof parseAuditPolicy>,
  ): Promise<void> => {
    const user = { name: 'jane', uid: '', groups: [], extra: {} };
    const exchange = { target: '/x', headers: { 'user-agent': 'kubectl' }, socket: undefined } as unknown as Exchange;
    const attributes = { type: 'path', user, verb: 'get', path: '/x' } as const;
    const audited = auditedCall(
      auditLog(policy, sink, () => 0),
      exchange,
      attributes,
      { user, actor: user },
      0,
    );
    await audited?.completed(reply, body);
  };
  const ok = { metadata: {}, code: 200 };
  assert.deepEqual(await of('RequestResponse', jsonReply({ a: 1 }), '{"b":2}'), [ok, { b: 2 }, { a: 1 }, 'kubectl']);
  assert.deepEqual(await of('Request', jsonReply({ a: 1 }), 'k8s\0'), [ok, undefined, undefined, 'kubectl']);
  assert.deepEqual(await of('Metadata', textReply('ok')), [ok, undefined, undefined, 'kubectl']);
  assert.equal(await of('None', textReply('ok')), undefined);
  const status = { kind: 'Status', status: 'Failure', message: 'no', reason: 'Forbidden' };
  const failed = { metadata: {}, status: 'Failure', message: 'no', reason: 'Forbidden', code: 403 };
  assert.deepEqual(await of('Metadata', jsonReply(status, 403)), [failed, undefined, undefined, 'kubectl']);
});
