import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { admissionRequest } from '#kit/kube-auth/admission-request.ts';
import { about, admit, objectOf, podOf } from '#kit/kube-auth/admit.ts';
import { MemoryObjects } from '#kit/kube-auth/memory-objects.ts';
import type { Resource } from '#kube/resource.ts';
import { ApiError } from '#kube/status.ts';
import type { Pod, PodSpec } from '#kube/types/gen/core-v1.ts';

import { admissionChain } from '../admission.ts';
import { defaultTolerationSeconds } from './default-toleration-seconds.ts';
import { namespaceLifecycle } from './namespace-lifecycle.ts';
import { priority } from './priority.ts';
import { runtimeClass } from './runtime-class.ts';
import { serviceAccount } from './service-account.ts';
import { defaultIngressClass, defaultStorageClass, persistentVolumeClaimResize } from './storage-class.ts';
import { taintNodesByCondition } from './taint-nodes.ts';

const { signal } = new AbortController();

describe('NamespaceLifecycle', () => {
  const cluster = (name: string, parts: Record<string, unknown> = {}): Resource => ({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name },
    ...parts,
  });
  const plugin = namespaceLifecycle(
    new MemoryObjects([cluster('default'), cluster('going', { status: { phase: 'Terminating' } })]),
  );

  test('nothing is made where no namespace is, or one that goes', async () => {
    assert.equal(await admit(plugin, admissionRequest({ object: podOf() })), undefined);
    assert.equal(
      await admit(plugin, admissionRequest({ namespace: 'x', object: podOf() })),
      'namespaces "x" not found',
    );
    const request = admissionRequest({ namespace: 'going', object: podOf() });
    await assert.rejects(admissionChain([plugin]).mutate(request, signal), (error) => {
      assert.ok(error instanceof ApiError);
      const why = 'unable to create new content in namespace going because it is being terminated';
      assert.equal(error.message, `pods "p" is forbidden: ${why}`);
      assert.equal(error.details?.causes?.[0]?.reason, 'NamespaceTerminating');
      return true;
    });
    assert.equal(await admit(plugin, admissionRequest({ namespace: 'going', operation: 'UPDATE' })), undefined);
    const namespace = about('', 'namespaces', 'Namespace');
    assert.equal(await admit(plugin, admissionRequest({ ...namespace, namespace: 'new', name: 'new' })), undefined);
  });

  test('some namespaces stay', async () => {
    const remove = admissionRequest({ ...about('', 'namespaces', 'Namespace'), operation: 'DELETE', name: 'default' });
    assert.equal(await admit(plugin, remove), 'namespaces "default" is forbidden: this namespace may not be deleted');
    assert.equal(await admit(plugin, { ...remove, name: 'other' }), undefined);
  });
});

describe('ServiceAccount', () => {
  const accounts = new MemoryObjects([
    objectOf('ServiceAccount', 'default'),
    objectOf('ServiceAccount', 'pulls', {
      imagePullSecrets: [{ name: 'registry' }],
      automountServiceAccountToken: false,
    }),
    {
      ...objectOf('ServiceAccount', 'strict', { secrets: [{ name: 'mine' }] }),
      metadata: {
        name: 'strict',
        namespace: 'default',
        annotations: { 'kubernetes.io/enforce-mountable-secrets': 'true' },
      },
    },
  ]);
  const plugin = serviceAccount(accounts);
  const mutated = async (spec: PodSpec): Promise<PodSpec> => {
    const pod = podOf(spec);
    assert.equal(await admit(plugin, admissionRequest({ object: pod })), undefined);
    return pod.spec ?? {};
  };

  test('a pod gets the default account and its token', async () => {
    const spec = await mutated({ containers: [{ name: 'a' }], initContainers: [{ name: 'b' }] });
    assert.equal(spec.serviceAccountName, 'default');
    const name = spec.volumes?.[0]?.name ?? '';
    assert.match(name, /^kube-api-access-[b-z2-9]{5}$/);
    const mount = { name, readOnly: true, mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' };
    assert.deepEqual([spec.containers?.[0]?.volumeMounts, spec.initContainers?.[0]?.volumeMounts], [[mount], [mount]]);
    assert.deepEqual(spec.volumes?.[0]?.projected?.sources?.[0], {
      serviceAccountToken: { expirationSeconds: 3607, path: 'token' },
    });
  });

  test('not where it is not wanted, or something is there already', async () => {
    const mounted = {
      name: 'a',
      volumeMounts: [{ name: 'x', mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' }],
    };
    assert.equal((await mutated({ containers: [mounted] })).volumes, undefined);
    assert.equal(
      (await mutated({ containers: [{ name: 'a' }], automountServiceAccountToken: false })).volumes,
      undefined,
    );
    const spec = await mutated({ containers: [{ name: 'a' }], serviceAccountName: 'pulls' });
    assert.deepEqual([spec.volumes, spec.imagePullSecrets], [undefined, [{ name: 'registry' }]]);
    const again = await mutated({ containers: [{ name: 'a' }], volumes: [{ name: 'kube-api-access-xxxxx' }] });
    assert.equal(again.volumes?.length, 1);
    assert.equal(again.containers?.[0]?.volumeMounts?.[0]?.name, 'kube-api-access-xxxxx');
  });

  test("accounts that are not there, and secrets that are not the account's, are refused", async () => {
    const refused = async (spec: PodSpec): Promise<string | undefined> =>
      await admit(plugin, admissionRequest({ object: podOf(spec) }));
    assert.equal(
      await refused({ serviceAccountName: 'gone' }),
      'pods "p" is forbidden: error looking up service account default/gone: serviceaccount "gone" not found',
    );
    const strict = { serviceAccountName: 'strict' };
    assert.match(
      (await refused({ ...strict, volumes: [{ name: 'v', secret: { secretName: 'x' } }] })) ?? '',
      /secret\.secretName="x" is not allowed/,
    );
    assert.match((await refused({ ...strict, imagePullSecrets: [{ name: 'x' }] })) ?? '', /imagePullSecrets/);
    const env = [{ name: 'E', valueFrom: { secretKeyRef: { name: 'x', key: 'k' } } }];
    assert.match((await refused({ ...strict, containers: [{ name: 'c', env }] })) ?? '', /container c with secret "x"/);
    assert.equal(await refused({ ...strict, volumes: [{ name: 'v', secret: { secretName: 'mine' } }] }), undefined);
  });

  test('mirror pods have neither account nor token', async () => {
    const mirror = (spec: PodSpec): Pod => ({
      ...podOf(spec),
      metadata: { name: 'p', annotations: { 'kubernetes.io/config.mirror': 'x' } },
    });
    const refused = async (spec: PodSpec): Promise<string | undefined> =>
      await admit(plugin, admissionRequest({ object: mirror(spec) }));
    assert.equal(await refused({ containers: [] }), undefined);
    assert.match(
      (await refused({ serviceAccountName: 'default' })) ?? '',
      /mirror pod may not reference service accounts/,
    );
    const token = [{ name: 'v', projected: { sources: [{ serviceAccountToken: { path: 'x' } }] } }];
    assert.match((await refused({ volumes: token })) ?? '', /ServiceAccountToken volume projections/);
  });
});

describe('Priority', () => {
  const group = 'scheduling.k8s.io/v1';
  const high = {
    apiVersion: group,
    kind: 'PriorityClass',
    metadata: { name: 'high' },
    value: 1000,
    preemptionPolicy: 'Never',
  };
  const usual = {
    apiVersion: group,
    kind: 'PriorityClass',
    metadata: { name: 'usual' },
    value: 10,
    globalDefault: true,
  };
  const plugin = priority(new MemoryObjects([high, usual]));
  const specOf = async (spec: PodSpec, from = plugin): Promise<PodSpec> => {
    const pod = podOf(spec);
    assert.equal(await admit(from, admissionRequest({ object: pod })), undefined);
    return pod.spec ?? {};
  };

  test('by name, by default, or none', async () => {
    assert.deepEqual(await specOf({ priorityClassName: 'high' }), {
      priorityClassName: 'high',
      priority: 1000,
      preemptionPolicy: 'Never',
    });
    assert.deepEqual(await specOf({}), {
      priorityClassName: 'usual',
      priority: 10,
      preemptionPolicy: 'PreemptLowerPriority',
    });
    const none = { priority: 0, preemptionPolicy: 'PreemptLowerPriority' };
    assert.deepEqual(await specOf({}, priority(new MemoryObjects([high]))), none);
  });

  test('what does not fit is refused', async () => {
    const refused = async (spec: PodSpec): Promise<string> =>
      (await admit(plugin, admissionRequest({ object: podOf(spec) }))) ?? '';
    assert.match(await refused({ priorityClassName: 'x' }), /no PriorityClass with name x was found/);
    assert.match(
      await refused({ priority: 5 }),
      /\(5\) must not be provided in pod spec; priority admission controller computed 10/,
    );
    assert.match(
      await refused({ preemptionPolicy: 'Never' }),
      /\(Never\) must not be provided.*computed PreemptLowerPriority/,
    );
  });

  test('clients that do not know priorities do not lose them', async () => {
    const pod = podOf({});
    const old = podOf({ priority: 7, preemptionPolicy: 'Never' });
    await admit(plugin, admissionRequest({ operation: 'UPDATE', object: pod, oldObject: old }));
    assert.deepEqual(pod.spec, { priority: 7, preemptionPolicy: 'Never' });
  });

  test('one default alone', async () => {
    const other = { ...usual, metadata: { name: 'other' } };
    const request = admissionRequest({
      ...about('scheduling.k8s.io', 'priorityclasses', 'PriorityClass'),
      object: other,
    });
    assert.match((await admit(plugin, request)) ?? '', /PriorityClass usual is already marked as default/);
    assert.equal(await admit(plugin, { ...request, object: usual }), undefined);
  });
});

test('DefaultTolerationSeconds', async () => {
  const keysOf = async (spec: PodSpec): Promise<unknown> => {
    const pod = podOf(spec);
    await admit(defaultTolerationSeconds(), admissionRequest({ object: pod }));
    return pod.spec?.tolerations?.map(({ key, tolerationSeconds }) => [key, tolerationSeconds]);
  };
  const [notReady, unreachable] = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'];
  assert.deepEqual(await keysOf({}), [
    [notReady, 300],
    [unreachable, 300],
  ]);
  const own = { key: notReady, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 5 };
  assert.deepEqual(await keysOf({ tolerations: [own] }), [
    [notReady, 5],
    [unreachable, 300],
  ]);
  assert.deepEqual(await keysOf({ tolerations: [{ operator: 'Exists' }] }), [[undefined, undefined]]);
});

describe('classes', () => {
  const storage = (name: string, created: string, isDefault: boolean, parts: object = {}): Resource => ({
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: {
      name,
      creationTimestamp: created,
      annotations: { 'storageclass.kubernetes.io/is-default-class': String(isDefault) },
    },
    ...parts,
  });
  const objects = new MemoryObjects([
    storage('old', '2026-01-01T00:00:00Z', true),
    storage('new', '2026-02-01T00:00:00Z', true, { allowVolumeExpansion: true }),
    storage('other', '2026-03-01T00:00:00Z', false),
  ]);
  const claim = (spec: object): Resource => objectOf('PersistentVolumeClaim', 'c', { spec });
  const claims = about('', 'persistentvolumeclaims', 'PersistentVolumeClaim');

  test('claims get the youngest default', async () => {
    const classOf = async (spec: object): Promise<unknown> => {
      const made = claim(spec);
      await admit(defaultStorageClass(objects), admissionRequest({ ...claims, object: made }));
      return (made['spec'] as { storageClassName?: string }).storageClassName;
    };
    assert.equal(await classOf({}), 'new');
    assert.equal(await classOf({ storageClassName: '' }), '');
    assert.equal(await classOf({ storageClassName: 'old' }), 'old');
  });

  test('claims grow when their class says so', async () => {
    const grow = async (storageClassName: string, size: string): Promise<string | undefined> => {
      const of = (storage: string): Resource => claim({ storageClassName, resources: { requests: { storage } } });
      return await admit(
        persistentVolumeClaimResize(objects),
        admissionRequest({ ...claims, operation: 'UPDATE', object: of(size), oldObject: of('1Gi') }),
      );
    };
    assert.equal(await grow('new', '2Gi'), undefined);
    assert.equal(await grow('old', '1024Mi'), undefined);
    assert.match((await grow('old', '2Gi')) ?? '', /only dynamically provisioned pvc can be resized/);
    assert.match((await grow('', '2Gi')) ?? '', /only dynamically provisioned/);
  });

  test('ingresses get the default', async () => {
    const nginx = {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'IngressClass',
      metadata: { name: 'nginx', annotations: { 'ingressclass.kubernetes.io/is-default-class': 'true' } },
    };
    const all = new MemoryObjects();
    all.put(nginx, { group: 'networking.k8s.io', resource: 'ingressclasses' });
    const ingress = objectOf('Ingress', 'i', { spec: {} }, 'networking.k8s.io/v1');
    const request = admissionRequest({ ...about('networking.k8s.io', 'ingresses', 'Ingress'), object: ingress });
    await admit(defaultIngressClass(all), request);
    assert.deepEqual(ingress['spec'], { ingressClassName: 'nginx' });
  });
});

test('RuntimeClass', async () => {
  const gvisor = {
    apiVersion: 'node.k8s.io/v1',
    kind: 'RuntimeClass',
    metadata: { name: 'gvisor' },
    handler: 'runsc',
    overhead: { podFixed: { cpu: '100m' } },
    scheduling: { nodeSelector: { sandbox: 'yes' }, tolerations: [{ key: 'sandbox', operator: 'Exists' }] },
  };
  const plugin = runtimeClass(new MemoryObjects([gvisor]));
  const pod = podOf({ runtimeClassName: 'gvisor', overhead: { cpu: '0.1' }, nodeSelector: { disk: 'fast' } });
  assert.equal(await admit(plugin, admissionRequest({ object: pod })), undefined);
  assert.deepEqual(pod.spec?.overhead, { cpu: '100m' });
  assert.deepEqual(pod.spec?.nodeSelector, { disk: 'fast', sandbox: 'yes' });
  assert.equal(pod.spec?.tolerations?.length, 1);
  const refused = async (spec: PodSpec): Promise<string> =>
    (await admit(plugin, admissionRequest({ object: podOf(spec) }))) ?? '';
  assert.match(await refused({ runtimeClassName: 'x' }), /pod rejected: RuntimeClass "x" not found/);
  assert.match(await refused({ overhead: { cpu: '1' } }), /Overhead set without corresponding RuntimeClass/);
  assert.match(await refused({ runtimeClassName: 'gvisor', overhead: { cpu: '1' } }), /Overhead doesn't match/);
  assert.match(
    await refused({ runtimeClassName: 'gvisor', nodeSelector: { sandbox: 'no' } }),
    /conflict: runtimeClass.scheduling.nodeSelector\[sandbox\] = yes; pod.spec.nodeSelector\[sandbox\] = no/,
  );
});

test('TaintNodesByCondition', async () => {
  const node: Resource = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n' } };
  for (let round = 0; round < 2; round += 1)
    await admit(taintNodesByCondition(), admissionRequest({ ...about('', 'nodes', 'Node'), object: node }));
  assert.deepEqual(node['spec'], { taints: [{ key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' }] });
});
