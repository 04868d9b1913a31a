import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { admissionRequest } from '#kit/kube-auth/admission-request.ts';
import { MemoryObjects } from '#kit/kube-auth/memory-objects.ts';
import type { Resource } from '#kube/resource.ts';
import { ApiError } from '#kube/status.ts';
import type { MutatingWebhook, RuleWithOperations } from '#kube/types/gen/admissionregistration-v1.ts';

import { admissionChain, type AdmissionRequest } from '../admission.ts';
import { webhookTarget, type CallWebhook } from './call-webhook.ts';
import { matchesLabelsOf, matchesRules } from './match-rules.ts';
import { WebhookIndex } from './webhook-index.ts';
import { mutatingWebhooks, validatingWebhooks } from './webhooks.ts';

const { signal } = new AbortController();
const everything: RuleWithOperations = { operations: ['*'], apiGroups: ['*'], apiVersions: ['*'], resources: ['*/*'] };

describe('rules', () => {
  const matches = (rule: RuleWithOperations, parts: Partial<AdmissionRequest> = {}): boolean =>
    matchesRules({ rules: [{ ...everything, ...rule }], matchPolicy: 'Exact' }, admissionRequest(parts));

  test('by operation, group, version and scope', () => {
    assert.ok(matches({}) && matches({ operations: ['CREATE'] }) && !matches({ operations: ['DELETE'] }));
    assert.ok(matches({ apiGroups: [''] }) && !matches({ apiGroups: ['apps'] }));
    assert.ok(matches({ apiVersions: ['v1'] }) && !matches({ apiVersions: ['v2'] }));
    assert.ok(matchesRules({ rules: [{ ...everything, apiVersions: ['v2'] }] }, admissionRequest({})));
    assert.ok(matches({ scope: 'Namespaced' }) && !matches({ scope: 'Cluster' }));
    assert.ok(matches({ scope: 'Cluster' }, { namespace: '' }));
    const namespaces = { group: '', version: 'v1', resource: 'namespaces' };
    assert.ok(matches({ scope: 'Cluster' }, { resource: namespaces, namespace: 'x' }));
  });

  test('by resource and subresource', () => {
    const rows: readonly (readonly [string, string, boolean])[] = [
      ['pods', '', true],
      ['pods', 'log', false],
      ['pods/log', 'log', true],
      ['pods/*', 'log', true],
      ['pods/*', '', true],
      ['*', '', true],
      ['*', 'log', false],
      ['*/log', 'log', true],
      ['*/log', '', false],
      ['*/*', 'log', true],
      ['services', '', false],
    ];
    for (const [pattern, subresource, expected] of rows)
      assert.equal(matches({ resources: [pattern] }, { subresource }), expected, `${pattern} ${subresource}`);
  });

  test('by labels of the namespace and the object', () => {
    const labelled = (labels: Record<string, string>): Resource => ({
      apiVersion: 'v1',
      kind: 'X',
      metadata: { labels },
    });
    const matchLabels = { a: 'b' };
    const by = (parts: object, request: Partial<AdmissionRequest>, namespace?: Resource): boolean =>
      matchesLabelsOf(parts, admissionRequest(request), namespace);
    assert.ok(by({ namespaceSelector: { matchLabels } }, {}, labelled(matchLabels)));
    assert.ok(!by({ namespaceSelector: { matchLabels } }, {}, labelled({})));
    assert.ok(by({ namespaceSelector: { matchLabels } }, { namespace: '' }));
    const resource = { group: '', version: 'v1', resource: 'namespaces' };
    assert.ok(!by({ namespaceSelector: { matchLabels } }, { resource, object: labelled({}) }, labelled(matchLabels)));
    assert.ok(by({ objectSelector: { matchLabels } }, { object: labelled({}), oldObject: labelled(matchLabels) }));
    assert.ok(!by({ objectSelector: { matchLabels } }, { object: labelled({}) }));
  });
});

type Answer = Readonly<Record<string, unknown>> | Error;

/** Webhooks that answer by their path, and what they were asked. */
function world(webhooks: readonly MutatingWebhook[], answers: Readonly<Record<string, Answer>>) {
  const asked: { readonly path: string; readonly request: Readonly<Record<string, unknown>> }[] = [];
  const call: CallWebhook = async ({ url }, body) => {
    const { request } = body as { request: Readonly<Record<string, unknown>> };
    asked.push({ path: url.pathname, request: structuredClone(request) });
    const answer = answers[url.pathname] ?? {};
    if (answer instanceof Error) throw answer;
    const response = { uid: request['uid'], allowed: true, ...answer };
    return { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response };
  };
  const configuration = (kind: string): Resource => ({
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind,
    metadata: { name: 'hooks' },
    webhooks,
  });
  const namespace: Resource = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'default' } };
  const objects = new MemoryObjects([
    configuration('MutatingWebhookConfiguration'),
    configuration('ValidatingWebhookConfiguration'),
    namespace,
  ]);
  return { asked, objects, call };
}

const hook = (path: string, parts: Partial<MutatingWebhook> = {}): MutatingWebhook => ({
  name: `${path}.example.org`,
  clientConfig: { url: `https://hooks.example.org/${path}` },
  rules: [everything],
  admissionReviewVersions: ['v1'],
  sideEffects: 'None',
  ...parts,
});
const patch = (...operations: readonly object[]): Answer => ({
  patchType: 'JSONPatch',
  patch: Buffer.from(JSON.stringify(operations)).toString('base64'),
});
const label = (name: string): object => ({ op: 'add', path: `/metadata/labels/${name}`, value: 'x' });

async function run(
  phase: 'mutate' | 'validate',
  webhooks: readonly MutatingWebhook[],
  answers: Readonly<Record<string, Answer>> = {},
  parts: Partial<AdmissionRequest> = {},
) {
  const { asked, objects, call } = world(webhooks, answers);
  const controller = new AbortController();
  const index = new WebhookIndex();
  await index.follow(objects, (error) => assert.fail(String(error)), controller.signal);
  const asking = { objects, call };
  const chain = admissionChain([mutatingWebhooks(index, asking), validatingWebhooks(index, asking)]);
  const object: Resource = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p', namespace: 'default', labels: {} } };
  const request = admissionRequest({ object, ...parts });
  const error = await chain[phase](request, signal).then(
    () => undefined,
    (error: unknown) => {
      assert.ok(error instanceof ApiError, String(error));
      return error;
    },
  );
  controller.abort();
  return { asked: asked.map(({ path }) => path), first: asked[0]?.request, request, error };
}

describe('mutating webhooks', () => {
  test('are asked in order, with all that a review has, and see what others changed', async () => {
    const { asked, first, request } = await run('mutate', [hook('a'), hook('b')], {
      '/a': patch(label('a')),
      '/b': patch(label('b')),
    });
    assert.deepEqual(asked, ['/a', '/b']);
    const keys = [
      'dryRun',
      'kind',
      'namespace',
      'object',
      'oldObject',
      'operation',
      'options',
      'requestKind',
      'requestResource',
      'resource',
      'uid',
      'userInfo',
    ];
    assert.deepEqual(Object.keys(first ?? {}).toSorted(), keys);
    assert.deepEqual(first?.['userInfo'], { username: 'admin', groups: ['system:masters', 'system:authenticated'] });
    assert.deepEqual(request.object?.metadata.labels, { a: 'x', b: 'x' });
  });

  test('are asked again when others changed the object after them, once and only if they want', async () => {
    const again = hook('a', { reinvocationPolicy: 'IfNeeded' });
    const changing = { '/b': patch(label('b')) };
    assert.deepEqual((await run('mutate', [again, hook('b')], changing)).asked, ['/a', '/b', '/a']);
    assert.deepEqual((await run('mutate', [hook('a'), hook('b')], changing)).asked, ['/a', '/b']);
    assert.deepEqual((await run('mutate', [again, hook('b')])).asked, ['/a', '/b']);
  });

  test('whose patch does not fit, or which have nothing to patch, are told', async () => {
    const bad = await run('mutate', [hook('a')], { '/a': patch({ op: 'remove', path: '/spec/x' }) });
    assert.match(
      bad.error?.message ?? '',
      /^Internal error occurred: admission webhook "a.example.org" gave a patch that does not fit/,
    );
    const none = await run(
      'mutate',
      [hook('a')],
      { '/a': patch(label('a')) },
      { operation: 'DELETE', object: undefined },
    );
    assert.match(
      none.error?.message ?? '',
      /attempted to modify the object, which is not supported for this operation/,
    );
  });
});

describe('validating webhooks', () => {
  test('refuse, warn and note', async () => {
    const answer = {
      allowed: false,
      status: { message: 'no', code: 403 },
      warnings: ['careful'],
      auditAnnotations: { k: 'v' },
    };
    const { error, request } = await run('validate', [hook('a'), hook('b')], { '/b': answer });
    assert.equal(error?.message, 'admission webhook "b.example.org" denied the request: no');
    assert.equal(error?.code, 403);
    assert.deepEqual(request.warnings, ['careful']);
    assert.deepEqual(request.annotations, { 'b.example.org/k': 'v' });
  });

  test('a refusal without words, or one that calls itself a success', async () => {
    const of = async (status: object): Promise<unknown> => {
      const { error } = await run('validate', [hook('a')], { '/a': { allowed: false, status } });
      return [error?.message.replace('admission webhook "a.example.org" denied the request', ''), error?.code];
    };
    assert.deepEqual(await of({}), [' without explanation', 400]);
    assert.deepEqual(await of({ reason: 'Conflict' }), [': Conflict', 409]);
    assert.deepEqual(await of({ code: 200, message: 'ok' }), [': ok', 400]);
  });

  test('that do not answer stop the write, unless their failures are ignored', async () => {
    const answers: readonly (readonly [Answer, RegExp])[] = [
      [
        new Error('connect ECONNREFUSED'),
        /failed calling webhook "a.example.org": failed to call webhook: Post "https:\/\/hooks.example.org\/a": connect ECONNREFUSED/,
      ],
      [{ uid: 'other' }, /expected response.uid=/],
      [{ patch: 'e30=' }, /not response.patchType of JSONPatch/],
    ];
    for (const [answer, text] of answers) {
      const { error } = await run('validate', [hook('a')], { '/a': answer });
      assert.equal(error?.code, 500);
      assert.match(error?.message ?? '', text);
      const ignored = await run('validate', [hook('a', { failurePolicy: 'Ignore' })], { '/a': answer });
      assert.equal(ignored.error, undefined);
      assert.deepEqual(Object.keys(ignored.request.annotations), [
        'failed-open.webhook.admission.k8s.io/a.example.org',
      ]);
    }
  });

  test('what this server cannot do counts as a failure', async () => {
    const old = await run('validate', [hook('a', { admissionReviewVersions: ['v1beta1'] })]);
    assert.match(old.error?.message ?? '', /takes no AdmissionReview of version v1/);
  });

  test('are asked when their conditions hold', async () => {
    const of = async (expression: string, parts: Partial<MutatingWebhook> = {}) =>
      await run('validate', [hook('a', { matchConditions: [{ name: 'c', expression }], ...parts })]);
    assert.deepEqual((await of('object.metadata.name == "p"')).asked, ['/a']);
    assert.deepEqual((await of('request.userInfo.username != "admin"')).asked, []);
    const broken = await of('object.none > 1');
    assert.match(
      broken.error?.message ?? '',
      /is forbidden: webhook "a.example.org": matchCondition "c": Cannot evaluate/,
    );
    const ignored = await of('object.none > 1', { failurePolicy: 'Ignore' });
    assert.deepEqual([ignored.error, ignored.asked], [undefined, []]);
  });

  test('dry runs reach only those without side effects', async () => {
    const dry = await run('validate', [hook('a', { sideEffects: 'Some' })], {}, { isDryRun: true });
    assert.equal(dry.error?.message, 'admission webhook "a.example.org" does not support dry run');
    assert.equal(
      (await run('validate', [hook('a', { sideEffects: 'NoneOnDryRun' })], {}, { isDryRun: true })).error,
      undefined,
    );
  });

  test('are not asked about themselves', async () => {
    const resource = {
      group: 'admissionregistration.k8s.io',
      version: 'v1',
      resource: 'validatingwebhookconfigurations',
    };
    assert.deepEqual((await run('validate', [hook('a')], {}, { resource, namespace: '' })).asked, []);
  });
});

test('where webhooks listen', async () => {
  const service = (name: string, clusterIP: string): Resource => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace: 'a' },
    spec: { clusterIP },
  });
  const objects = new MemoryObjects([service('s', '10.96.0.7'), service('six', 'fd00::7'), service('none', 'None')]);
  const of = async (name: string, parts: object = {}): Promise<unknown> => {
    const target = await webhookTarget({ service: { name, namespace: 'a', ...parts } }, objects, signal);
    return [target.url.href, target.serverName];
  };
  assert.deepEqual(await of('s', { path: '/x', port: 8443 }), ['https://10.96.0.7:8443/x', 's.a.svc']);
  assert.deepEqual(await of('six'), ['https://[fd00::7]/', 'six.a.svc']);
  await assert.rejects(of('none'), /service "none" has no cluster address in namespace "a"/);
  await assert.rejects(of('gone'), /service "gone" not found in namespace "a"/);
  const url = await webhookTarget({ url: 'https://x.org/y', caBundle: 'UEVN' }, objects, signal);
  assert.deepEqual([url.serverName, url.authority], ['x.org', 'PEM']);
});
