import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { pods } from '#agent/pods/pod-tools.ts';
import { type Client, kindOf } from '#kube/client/client.ts';
import { createClient } from '#kube/client/create-client.ts';
import { configMap } from '#kube/kinds/core/config-map.ts';
import { namespace as namespaceKind } from '#kube/kinds/core/namespace.ts';
import { persistentVolumeClaim } from '#kube/kinds/core/persistent-volume-claim.ts';
import { persistentVolume } from '#kube/kinds/core/persistent-volume.ts';
import { secret } from '#kube/kinds/core/secret.ts';
import type { PersistentVolume, PersistentVolumeClaim, Pod } from '#kube/types/gen/core-v1.ts';
import type { Http2Transport } from '#remote/http2-transport.ts';

import { podOf as podOfCase } from '../../conformance/pod-case.ts';
import { podCases } from '../../conformance/pod-cases.ts';
import { eventually } from '../../kit/eventually.ts';
import { Instance } from '../../kit/instance.ts';
import { connectTo } from '../../kit/kube-client.ts';
import { makeRoot } from '../../kit/temp-root.ts';

const namespace = 'conformance';
const claims = kindOf<PersistentVolumeClaim>(persistentVolumeClaim);
const volumes = kindOf<PersistentVolume>(persistentVolume);
const { signal } = new AbortController();
const shared: { instance?: Instance; transport?: Http2Transport; client?: Client } = {};
const settings = ['kubernetes.node=true', 'kubernetes.nodeName=one'];

/** All pods run side by side; each case then looks at its own. */
before(async () => {
  shared.instance = new Instance(makeRoot(), { settings });
  await shared.instance.start();
  await shared.instance.loadBusybox();
  shared.transport = connectTo(shared.instance);
  shared.client = createClient(shared.transport);
  await makeObjects(shared.client);
  const { client } = shared;
  await eventually('the namespace has a service account', async () =>
    client.create(pods, podOf(0), {}, signal).then(
      () => true,
      () => false,
    ),
  );
  await Promise.all(podCases.slice(1).map(async (_, index) => client.create(pods, podOf(index + 1), {}, signal)));
});

after(async () => {
  await shared.transport?.[Symbol.asyncDispose]();
  await shared.instance?.destroy();
});

async function makeObjects(client: Client): Promise<void> {
  const make = async (kind: typeof configMap, name: string, more: object): Promise<void> => {
    const object = { apiVersion: 'v1', kind: kind.kind, metadata: { namespace, name }, ...more };
    await client.create(kindOf(kind), object, {}, signal);
  };
  const home = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } };
  await client.create(kindOf(namespaceKind), home, {}, signal);
  const data = { 'data-1': 'value-1', 'data-2': 'value-2' };
  const base64 = Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString('base64')]);
  await make(configMap, 'settings', { data });
  await make(secret, 'keys', { data: Object.fromEntries(base64) });
  await make(configMap, 'letters', { data: { letter: 'a' }, binaryData: { bytes: 'AP8=' } });
}

function podOf(index: number): Pod {
  const metadata = { namespace, name: `case-${String(index)}`, labels: { case: String(index) } };
  return { apiVersion: 'v1', kind: 'Pod', metadata, spec: { ...podCases[index]?.spec, nodeName: 'one' } };
}

for (const [index, { codename, phase, waiting, message }] of podCases.entries())
  test(codename, async () => {
    const { client } = shared;
    assert.ok(client);
    const look = async (): Promise<Pod> => client.get(pods, { namespace, name: `case-${String(index)}` }, signal);
    const told = ({ status }: Pod): string => {
      const reason = status?.containerStatuses?.[0]?.state?.waiting?.reason ?? '';
      return ['Succeeded', 'Failed'].includes(status?.phase ?? '') ? (status?.phase ?? '') : reason;
    };
    const passing = ['', 'ContainerCreating', 'PodInitializing'];
    await eventually('the pod has come to something', async () => !passing.includes(told(await look())));
    const pod = await look();
    const end = pod.status?.containerStatuses?.[0]?.state?.terminated;
    if (message !== undefined) assert.equal(end?.message ?? '', message);
    assert.equal(told(pod), waiting ?? phase ?? 'Succeeded', JSON.stringify(pod.status?.containerStatuses));
  });

test('a claim of the class local-path gets a volume of its size, which grows, and goes with the claim', async () => {
  const { client, instance } = shared;
  assert.ok(client && instance);
  const key = { namespace, name: 'data' };
  const claim: PersistentVolumeClaim = {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    // What the scheduler says when it has found a node for the claim's pod.
    metadata: { ...key, annotations: { 'volume.kubernetes.io/selected-node': 'one' } },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '16Mi' } } },
  };
  const made = await client.create(claims, claim, {}, signal);
  assert.equal(made.spec?.storageClassName, 'local-path');
  const volume = { persistentVolumeClaim: { claimName: 'data' } };
  const spec = { securityContext: { runAsUser: 1000, fsGroup: 1001 } };
  const check = `stat -c %g /v | grep -qx 1001; touch /v/kept; ! head -c 30000000 /dev/zero > /v/big 2>/dev/null`;
  const run = async (name: string, check: string): Promise<void> => {
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { namespace, name } };
    await client.create(pods, { ...pod, spec: { ...podOfCase({ volume, spec, check }), nodeName: 'one' } }, {}, signal);
    const ended = async (): Promise<string> =>
      (await client.get(pods, { namespace, name }, signal)).status?.phase ?? '';
    await eventually(`pod ${name} has ended`, async () => ['Succeeded', 'Failed'].includes(await ended()));
    assert.equal(await ended(), 'Succeeded');
    await client.delete(pods, { namespace, name }, { gracePeriodSeconds: 0 }, signal);
  };
  await run('fills', check);
  const body = { spec: { resources: { requests: { storage: '64Mi' } } } };
  await client.patch(claims, key, { type: 'merge', body }, {}, signal);
  const has = async (): Promise<string> => (await client.get(claims, key, signal)).status?.capacity?.['storage'] ?? '';
  await eventually('the claim has grown', async () => (await has()) === '64Mi');
  await run('again', 'test -e /v/kept; rm -f /v/big; head -c 30000000 /dev/zero > /v/big');
  await client.delete(claims, key, {}, signal);
  await eventually('the volume is gone', async () => (await client.list(volumes, {}, signal)).items.length === 0);
  assert.equal(await instance.dockerOutput('volume', 'ls', '-q'), '');
});
