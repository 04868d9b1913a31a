import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import * as fc from 'fast-check';

import { eventually } from '#kit/eventually.ts';
import { admissionRequest } from '#kit/kube-auth/admission-request.ts';
import { MemoryObjects } from '#kit/kube-auth/memory-objects.ts';
import type { Resource } from '#kube/resource.ts';
import { ApiError } from '#kube/status.ts';
import type { Pod, PodSpec, ResourceQuota } from '#kube/types/gen/core-v1.ts';

import type { AdmissionRequest } from '../admission.ts';
import { podResources } from '../pod-resources.ts';
import { missingConstraints } from './constraints.ts';
import { countedResources, countUsage } from './count-usage.ts';
import { runQuotas } from './quota-controller.ts';
import { resourceQuota, resourceQuotas } from './resource-quota.ts';
import { isInScope } from './scopes.ts';
import { differenceOf, sumAmounts, usageOf } from './usage.ts';

const { signal } = new AbortController();
const nowMs = Date.UTC(2026, 5, 1);
const pods = { group: '', resource: 'pods' };

function quota(
  hard: Record<string, string>,
  parts: Partial<NonNullable<ResourceQuota['spec']>> = {},
  name = 'q',
): ResourceQuota {
  return {
    apiVersion: 'v1',
    kind: 'ResourceQuota',
    metadata: { name, namespace: 'default' },
    spec: { hard, ...parts },
  };
}

function pod(name: string, requests: Record<string, string> = {}, spec: PodSpec = {}, parts: Partial<Pod> = {}): Pod {
  const containers = [{ name: 'a', resources: { requests, limits: requests } }];
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default' },
    spec: { containers, ...spec },
    ...parts,
  };
}

async function admit(objects: MemoryObjects, parts: Partial<AdmissionRequest>): Promise<string | undefined> {
  try {
    await resourceQuota(objects, () => nowMs).validate?.(admissionRequest(parts), signal);
    return undefined;
  } catch (error) {
    assert.ok(error instanceof ApiError, String(error));
    return error.message;
  }
}

const usedOf = async (objects: MemoryObjects, name = 'q'): Promise<unknown> => {
  const found: ResourceQuota | undefined = await objects.get(resourceQuotas, 'default', name);
  return found?.status?.used;
};

describe('what a pod needs', () => {
  test('is the sum of its containers and sidecars, or the peak of its start', () => {
    const of = (cpu: string, parts: object = {}): object => ({ resources: { requests: { cpu } }, ...parts });
    const spec = (init: readonly object[], main: readonly object[], parts: PodSpec = {}): PodSpec => ({
      initContainers: [...init],
      containers: [...main],
      ...parts,
    });
    const cpu = (one: PodSpec): unknown => podResources(one, 'requests')['cpu'];
    const sidecar = { restartPolicy: 'Always' };
    assert.equal(cpu(spec([], [of('1'), of('500m')])), '1500m');
    assert.equal(cpu(spec([of('3')], [of('1')])), '3');
    assert.equal(cpu(spec([of('1', sidecar), of('3')], [of('1')])), '4');
    assert.equal(cpu(spec([of('1', sidecar)], [of('1')], { overhead: { cpu: '100m' } })), '2100m');
    assert.equal(cpu(spec([], [of('1')], { resources: { requests: { cpu: '5' } } })), '5');
    assert.deepEqual(podResources({}, 'limits'), {});
  });
});

describe('what objects take from quotas', () => {
  test('pods, until they have ended', () => {
    assert.deepEqual(usageOf(pods, pod('p', { cpu: '1', memory: '1Gi', 'nvidia.com/gpu': '2' }), nowMs), {
      'count/pods': '1',
      pods: '1',
      cpu: '1',
      'requests.cpu': '1',
      memory: '1Gi',
      'requests.memory': '1Gi',
      'requests.nvidia.com/gpu': '2',
      'limits.cpu': '1',
      'limits.memory': '1Gi',
    });
    const gone = { metadata: { name: 'p', deletionTimestamp: '2026-05-31T23:59:00Z', deletionGracePeriodSeconds: 30 } };
    for (const parts of [{ status: { phase: 'Succeeded' } }, { status: { phase: 'Failed' } }, gone])
      assert.deepEqual(usageOf(pods, pod('p', { cpu: '1' }, {}, parts), nowMs), { 'count/pods': '1' });
  });

  test('services, claims and everything else', () => {
    const of = (resource: string, spec: object, group = ''): unknown => {
      const object = { apiVersion: 'v1', kind: 'X', metadata: {}, spec } as Resource;
      return usageOf({ group, resource }, object, nowMs);
    };
    const ports = [{ port: 1 }, { port: 2, nodePort: 30000 }];
    const service = (nodeports: string, balancers: string): object => ({
      'count/services': '1',
      services: '1',
      'services.nodeports': nodeports,
      'services.loadbalancers': balancers,
    });
    assert.deepEqual(of('services', { type: 'ClusterIP', ports }), service('0', '0'));
    assert.deepEqual(of('services', { type: 'NodePort', ports }), service('2', '0'));
    assert.deepEqual(of('services', { type: 'LoadBalancer', ports }), service('2', '1'));
    assert.deepEqual(
      of('services', { type: 'LoadBalancer', ports, allocateLoadBalancerNodePorts: false }),
      service('1', '1'),
    );
    assert.deepEqual(
      of('persistentvolumeclaims', { storageClassName: 'fast', resources: { requests: { storage: '5Gi' } } }),
      {
        'count/persistentvolumeclaims': '1',
        persistentvolumeclaims: '1',
        'requests.storage': '5Gi',
        'fast.storageclass.storage.k8s.io/requests.storage': '5Gi',
        'fast.storageclass.storage.k8s.io/persistentvolumeclaims': '1',
      },
    );
    assert.deepEqual(of('secrets', {}), { 'count/secrets': '1', secrets: '1' });
    assert.deepEqual(of('deployments', {}, 'apps'), { 'count/deployments.apps': '1' });
    assert.deepEqual(of('leases', {}), { 'count/leases': '1' });
  });

  test('sums and differences agree', () => {
    const amount = fc.integer({ min: 0, max: 100_000 }).map((millis) => `${String(millis)}m`);
    const amounts = fc.dictionary(fc.constantFrom('a', 'b', 'c'), amount);
    fc.assert(
      fc.property(amounts, amounts, (one, other) => {
        const sum = sumAmounts([one, other]);
        assert.deepEqual(differenceOf(differenceOf(sum, other), one), {});
      }),
    );
  });

  test('names say which kinds are counted', () => {
    const names = [
      'cpu',
      'limits.memory',
      'count/jobs.batch',
      'services.nodeports',
      'fast.storageclass.storage.k8s.io/requests.storage',
      'secrets',
    ];
    assert.deepEqual(
      countedResources(names).map(({ group, resource }) => `${group}/${resource}`),
      ['/pods', 'batch/jobs', '/services', '/persistentvolumeclaims', '/secrets'],
    );
  });
});

test('scopes choose among pods', () => {
  const scoped = (scope: string, spec: PodSpec, requests: Record<string, string> = {}): boolean =>
    isInScope(quota({}, { scopes: [scope] }), pods, pod('p', requests, spec));
  assert.ok(scoped('Terminating', { activeDeadlineSeconds: 5 }) && !scoped('Terminating', {}));
  assert.ok(scoped('NotTerminating', {}) && !scoped('NotTerminating', { activeDeadlineSeconds: 0 }));
  assert.ok(scoped('BestEffort', {}) && !scoped('BestEffort', {}, { cpu: '1' }));
  assert.ok(scoped('NotBestEffort', {}, { memory: '1' }) && !scoped('NotBestEffort', {}));
  const affinity = {
    podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: 'x', namespaces: ['y'] }] },
  };
  assert.ok(scoped('CrossNamespacePodAffinity', { affinity }) && !scoped('CrossNamespacePodAffinity', {}));
  const byClass = (operator: string, values: string[], priorityClassName?: string): boolean =>
    isInScope(
      quota({}, { scopeSelector: { matchExpressions: [{ scopeName: 'PriorityClass', operator, values }] } }),
      pods,
      pod('p', {}, priorityClassName === undefined ? {} : { priorityClassName }),
    );
  assert.ok(byClass('In', ['high'], 'high') && !byClass('In', ['high'], 'low') && !byClass('In', ['high']));
  assert.ok(byClass('NotIn', ['high'], 'low') && byClass('Exists', [], 'x') && byClass('DoesNotExist', []));
  assert.ok(!isInScope(quota({}, { scopes: ['BestEffort'] }), { group: '', resource: 'services' }, pod('p')));
});

test('constraints name what containers must say', () => {
  const two: Pod = pod('p', {}, { containers: [{ name: 'b' }, { name: 'a', resources: { requests: { cpu: '1' } } }] });
  assert.equal(
    missingConstraints(two, ['requests.cpu', 'limits.memory', 'pods']),
    'limits.memory for: a,b; requests.cpu for: b',
  );
  assert.equal(missingConstraints(pod('p', { cpu: '1' }), ['cpu', 'limits.cpu']), '');
});

describe('ResourceQuota', () => {
  test('counts before anything is stored, and refuses what is too much', async () => {
    const objects = new MemoryObjects([quota({ pods: '2', 'requests.cpu': '2' })]);
    assert.equal(await admit(objects, { object: pod('a', { cpu: '500m' }) }), undefined);
    assert.deepEqual(await usedOf(objects), { pods: '1', 'requests.cpu': '500m' });
    assert.equal(
      await admit(objects, { object: pod('b', { cpu: '1600m' }) }),
      'pods "b" is forbidden: exceeded quota: q, requested: requests.cpu=1600m, used: requests.cpu=500m, limited: requests.cpu=2',
    );
    assert.deepEqual(await usedOf(objects), { pods: '1', 'requests.cpu': '500m' });
    assert.equal(
      await admit(objects, { object: pod('c') }),
      'pods "c" is forbidden: failed quota: q: must specify requests.cpu for: a',
    );
  });

  test('many at once get no more than there is', async () => {
    const objects = new MemoryObjects([quota({ pods: '5' }), quota({ 'count/pods': '7' }, {}, 'r')]);
    const plugin = resourceQuota(objects, () => nowMs);
    const results = await Promise.allSettled(
      Array.from({ length: 20 }, async (_, index) => {
        await plugin.validate?.(admissionRequest({ object: pod(`p${String(index)}`) }), signal);
      }),
    );
    assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 5);
    assert.deepEqual([await usedOf(objects), await usedOf(objects, 'r')], [{ pods: '5' }, { 'count/pods': '5' }]);
  });

  test('another server in between is noticed, and nothing is counted twice', async () => {
    const objects = new MemoryObjects([quota({ pods: '9' }), quota({ pods: '9' }, {}, 'r')]);
    const update = objects.update.bind(objects);
    let meets = 1;
    objects.update = async (of, object) => {
      if (object.metadata.name === 'r' && meets > 0) {
        meets -= 1;
        const stored = (await objects.get(of, 'default', 'r')) as ResourceQuota;
        objects.put({ ...stored, status: { hard: { pods: '9' }, used: { pods: '4' } } });
      }
      return await update(of, object);
    };
    assert.equal(await admit(objects, { object: pod('a') }), undefined);
    assert.deepEqual([await usedOf(objects), await usedOf(objects, 'r')], [{ pods: '1' }, { pods: '5' }]);
  });

  test('a dry run counts and stores nothing', async () => {
    const objects = new MemoryObjects([quota({ pods: '0' }), pod('a')]);
    assert.match(
      (await admit(objects, { object: pod('b'), isDryRun: true })) ?? '',
      /requested: pods=1, used: pods=1, limited: pods=0/,
    );
    const free = new MemoryObjects([quota({ pods: '9' })]);
    assert.equal(await admit(free, { object: pod('b'), isDryRun: true }), undefined);
    assert.equal(await usedOf(free), undefined);
  });

  test('updates count what they add; less is always allowed', async () => {
    const over: ResourceQuota = {
      ...quota({ 'services.nodeports': '1' }),
      status: { hard: { 'services.nodeports': '1' }, used: { 'services.nodeports': '3' } },
    };
    const objects = new MemoryObjects([over]);
    const service = (count: number): Resource => ({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 's', namespace: 'default' },
      spec: { type: 'NodePort', ports: Array.from({ length: count }, (_, port) => ({ port })) },
    });
    const about = { operation: 'UPDATE', resource: { group: '', version: 'v1', resource: 'services' } } as const;
    assert.match(
      (await admit(objects, { ...about, object: service(4), oldObject: service(3) })) ?? '',
      /requested: services.nodeports=1, used: services.nodeports=3/,
    );
    assert.equal(await admit(objects, { ...about, object: service(2), oldObject: service(3) }), undefined);
    assert.deepEqual(await usedOf(objects), { 'services.nodeports': '2' });
    assert.equal(await admit(objects, { ...about, object: service(2), oldObject: service(2) }), undefined);
  });
});

test('quotas are counted again when something goes', async () => {
  const objects = new MemoryObjects([pod('a', { cpu: '1' }), pod('b', { cpu: '1' }), quota({ pods: '5', cpu: '5' })]);
  const controller = new AbortController();
  const onError = (error: unknown): void => assert.fail(String(error));
  const running = runQuotas({ objects, nowMs: () => nowMs, onError }, controller.signal);
  const becomes = async (used: object): Promise<void> => {
    await eventually(JSON.stringify(used), async () => JSON.stringify(await usedOf(objects)) === JSON.stringify(used));
  };
  await becomes({ pods: '2', cpu: '2' });
  objects.remove(pods, 'default', 'a');
  await becomes({ pods: '1', cpu: '1' });
  objects.put(pod('b', { cpu: '1' }, {}, { status: { phase: 'Succeeded' } }));
  await becomes({ pods: '0', cpu: '0' });
  objects.put({ ...(await objects.get(resourceQuotas, 'default', 'q')), ...quota({ 'count/pods': '5' }) });
  await becomes({ 'count/pods': '1' });
  objects.remove(resourceQuotas, 'default', 'q');
  controller.abort();
  await running;
  assert.deepEqual(await countUsage(objects, quota({ pods: '1' }), nowMs, signal), { pods: '0' });
});
