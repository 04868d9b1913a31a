import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { admissionRequest } from '#kit/kube-auth/admission-request.ts';
import { MemoryObjects } from '#kit/kube-auth/memory-objects.ts';
import type { Resource } from '#kube/resource.ts';
import { ApiError } from '#kube/status.ts';
import type {
  ValidatingAdmissionPolicyBindingSpec,
  ValidatingAdmissionPolicySpec,
} from '#kube/types/gen/admissionregistration-v1.ts';

import type { AdmissionRequest } from '../admission.ts';
import { PolicyIndex } from './policy-index.ts';
import { validatingPolicies } from './validating-policies.ts';

const { signal } = new AbortController();
const apiVersion = 'admissionregistration.k8s.io/v1';
const rule = { operations: ['CREATE', 'UPDATE'], apiGroups: ['apps'], apiVersions: ['v1'], resources: ['deployments'] };

const deployment = (replicas: number, labels: Record<string, string> = {}): Resource => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace: 'default', labels },
  spec: { replicas },
});

interface Given {
  readonly policy?: Partial<ValidatingAdmissionPolicySpec>;
  readonly binding?: Partial<ValidatingAdmissionPolicyBindingSpec>;
  readonly objects?: readonly Resource[];
  readonly request?: Partial<AdmissionRequest>;
}

async function ask(given: Given): Promise<{
  readonly error: ApiError | undefined;
  readonly warnings: readonly string[];
  readonly annotations: Readonly<Record<string, string>>;
}> {
  const spec = {
    matchConstraints: { resourceRules: [rule] },
    validations: [{ expression: 'object.spec.replicas <= 5' }],
  };
  const policy: Resource = {
    apiVersion,
    kind: 'ValidatingAdmissionPolicy',
    metadata: { name: 'p' },
    spec: { ...spec, ...given.policy },
  };
  const binding: Resource = {
    apiVersion,
    kind: 'ValidatingAdmissionPolicyBinding',
    metadata: { name: 'b' },
    spec: { policyName: 'p', validationActions: ['Deny'], ...given.binding },
  };
  const namespace: Resource = {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: 'default', labels: { env: 'prod' } },
  };
  const objects = new MemoryObjects([policy, binding, namespace, ...(given.objects ?? [])]);
  const controller = new AbortController();
  const index = new PolicyIndex();
  await index.follow(objects, (error) => assert.fail(String(error)), controller.signal);
  const resolveKind = (version: string, kind: string) =>
    version === 'v1' && kind === 'ConfigMap' ? { group: '', resource: 'configmaps', isNamespaced: true } : undefined;
  const request = admissionRequest({
    resource: { group: 'apps', version: 'v1', resource: 'deployments' },
    object: deployment(9),
    ...given.request,
  });
  const error = await Promise.resolve(
    validatingPolicies(index, { objects, resolveKind }).validate?.(request, signal),
  ).then(
    () => undefined,
    (error: unknown) => {
      assert.ok(error instanceof ApiError, String(error));
      return error;
    },
  );
  controller.abort();
  return { error, warnings: request.warnings, annotations: request.annotations };
}

const messageOf = async (given: Given): Promise<string | undefined> =>
  (await ask(given)).error?.message.replace(/^.*denied request: /, '');

describe('policies', () => {
  test('deny with upstream words, as invalid unless they say otherwise', async () => {
    const { error } = await ask({});
    assert.equal(
      error?.message,
      "deployments.apps \"web\" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: " +
        'failed expression: object.spec.replicas <= 5',
    );
    assert.deepEqual([error?.code, error?.statusReason], [422, 'Invalid']);
    const own = { expression: 'false', message: 'no', reason: 'Forbidden' };
    assert.equal((await ask({ policy: { validations: [own] } })).error?.code, 403);
    assert.equal((await ask({ request: { object: deployment(5) } })).error, undefined);
  });

  test('say why by their own message or expression', async () => {
    const validation = { expression: 'false', message: 'plain' };
    assert.equal(await messageOf({ policy: { validations: [validation] } }), 'plain');
    const messageExpression = '"has " + string(object.spec.replicas)';
    assert.equal(await messageOf({ policy: { validations: [{ ...validation, messageExpression }] } }), 'has 9');
    assert.equal(
      await messageOf({ policy: { validations: [{ ...validation, messageExpression: '1 / 0' }] } }),
      'plain',
    );
  });

  test('warn and note instead, when the binding wants that', async () => {
    const { error, warnings, annotations } = await ask({ binding: { validationActions: ['Warn', 'Audit'] } });
    assert.equal(error, undefined);
    assert.match(
      warnings[0] ?? '',
      /^Validation failed for ValidatingAdmissionPolicy 'p' with binding 'b': failed expression/,
    );
    assert.match(annotations['validation.policy.admission.k8s.io/validation_failure'] ?? '', /"policy":"p"/);
    const noted = await ask({
      policy: { validations: [], auditAnnotations: [{ key: 'k', valueExpression: 'object.metadata.name' }] },
    });
    assert.deepEqual(noted.annotations, { 'p/k': 'web' });
  });

  test('see the request, the namespace, variables and the old object', async () => {
    const holds = async (expression: string, request: Partial<AdmissionRequest> = {}): Promise<boolean> => {
      const variables = [
        { name: 'count', expression: 'object.spec.replicas' },
        { name: 'double', expression: 'variables.count * 2' },
      ];
      return (await messageOf({ policy: { validations: [{ expression }], variables }, request })) === undefined;
    };
    assert.ok(await holds('request.operation == "CREATE" && request.userInfo.username == "admin"'));
    assert.ok(await holds('namespaceObject.metadata.labels.env == "prod"'));
    assert.ok(await holds('variables.double == 18'));
    assert.ok(
      await holds('object.spec.replicas > oldObject.spec.replicas', { operation: 'UPDATE', oldObject: deployment(1) }),
    );
    assert.ok(await holds('oldObject == null && params == null'));
  });
});

describe('which requests they see', () => {
  const isSeen = async (given: Given): Promise<boolean> => (await messageOf(given)) !== undefined;

  test('by rules, exclusions, names and labels', async () => {
    assert.ok(!(await isSeen({ request: { operation: 'DELETE', object: undefined, oldObject: deployment(9) } })));
    assert.ok(!(await isSeen({ request: { resource: { group: 'apps', version: 'v1', resource: 'statefulsets' } } })));
    const excluding = { resourceRules: [rule], excludeResourceRules: [{ ...rule, resourceNames: ['web'] }] };
    assert.ok(!(await isSeen({ policy: { matchConstraints: excluding } })));
    assert.ok(await isSeen({ policy: { matchConstraints: excluding }, request: { name: 'other' } }));
    const prod = { namespaceSelector: { matchLabels: { env: 'prod' } } };
    const test = { namespaceSelector: { matchLabels: { env: 'test' } } };
    assert.ok(
      (await isSeen({ binding: { matchResources: prod } })) && !(await isSeen({ binding: { matchResources: test } })),
    );
    const resource = { group: 'admissionregistration.k8s.io', version: 'v1', resource: 'validatingadmissionpolicies' };
    assert.ok(!(await isSeen({ policy: { matchConstraints: {} }, request: { resource } })));
  });

  test('by conditions, of which a false one outweighs a broken one', async () => {
    const of = (...expressions: readonly string[]): Given => ({
      policy: { matchConditions: expressions.map((expression, index) => ({ name: `c${String(index)}`, expression })) },
    });
    assert.ok(!(await isSeen(of('request.userInfo.username != "admin"'))));
    assert.ok(!(await isSeen(of('object.none', 'false'))));
    assert.match(
      (await messageOf(of('object.none'))) ?? '',
      /failed to configure policy: matchCondition "c0": Cannot evaluate/,
    );
  });
});

describe('what fails', () => {
  test('counts as the failure policy says', async () => {
    const broken = { validations: [{ expression: 'object.spec.none > 1' }] };
    assert.match((await messageOf({ policy: broken })) ?? '', /expression 'object.spec.none > 1' resulted in error/);
    assert.equal(await messageOf({ policy: { ...broken, failurePolicy: 'Ignore' } }), undefined);
    const wrong = { validations: [{ expression: 'object.' }] };
    assert.match(
      (await messageOf({ policy: wrong })) ?? '',
      /failed to configure policy: Cannot compile CEL expression/,
    );
    assert.equal(await messageOf({ policy: { ...wrong, failurePolicy: 'Ignore' } }), undefined);
  });
});

describe('parameters', () => {
  const map = (name: string, most: string): Resource => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace: 'default', labels: { limits: 'yes' } },
    data: { most },
  });
  const policy = {
    paramKind: { apiVersion: 'v1', kind: 'ConfigMap' },
    validations: [
      { expression: 'object.spec.replicas <= int(params.data.most)', messageExpression: '"most " + params.data.most' },
    ],
  };

  test('come from an object by name, or from all that are chosen', async () => {
    const objects = [map('high', '20'), map('low', '3')];
    assert.equal(await messageOf({ policy, objects, binding: { paramRef: { name: 'high' } } }), undefined);
    assert.equal(await messageOf({ policy, objects, binding: { paramRef: { name: 'low' } } }), 'most 3');
    const selector = { matchLabels: { limits: 'yes' } };
    assert.equal(await messageOf({ policy, objects, binding: { paramRef: { selector } } }), 'most 3');
  });

  test('that are not there deny or allow, as the binding says', async () => {
    const reference = { name: 'none' };
    assert.match(
      (await messageOf({ policy, binding: { paramRef: { ...reference, parameterNotFoundAction: 'Deny' } } })) ?? '',
      /no params found for policy binding/,
    );
    assert.equal(
      await messageOf({ policy, binding: { paramRef: { ...reference, parameterNotFoundAction: 'Allow' } } }),
      undefined,
    );
    const other = { ...policy, paramKind: { apiVersion: 'v1', kind: 'Widget' } };
    assert.match(
      (await messageOf({ policy: other, binding: { paramRef: reference } })) ?? '',
      /failed to find resource referenced by paramKind/,
    );
  });
});
