import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { command } from '../../kit/command.ts';
import { eventually } from '../../kit/eventually.ts';
import { Instance } from '../../kit/instance.ts';
import { kubernetesClient } from '../../kit/kubernetes-clients.ts';
import { makeRoot } from '../../kit/temp-root.ts';

let instance: Instance;

before(async () => {
  instance = new Instance(makeRoot(), {});
  await instance.start();
});
after(async () => await instance?.destroy());

test('a service has its ready pods as endpoints', async () => {
  await kubectl('create', 'service', 'clusterip', 'web', '--tcp=80:8080');
  await kubectl('run', 'web', '--image=nothing', '--labels=app=web');
  await say('web', {
    phase: 'Running',
    podIPs: [{ ip: '10.244.7.1' }],
    conditions: [{ type: 'Ready', status: 'True' }],
  });
  const path = 'jsonpath={.items[0].endpoints[0].addresses[0]}:{.items[0].ports[0].port}';
  await eventually('there is an endpoint', async () => {
    const found = await kubectl('get', 'endpointslices', '-l', 'kubernetes.io/service-name=web', '-o', path);
    return found === '10.244.7.1:8080';
  });
  const address = ['get', 'endpoints', 'web', '-o', 'jsonpath={.subsets[0].addresses[0].ip}'];
  await eventually('there are Endpoints', async () => (await kubectl(...address)).startsWith('10.244.7.1'));
});

test('a job makes a pod, and is complete when that has succeeded', async () => {
  assert.equal(await kubectl('create', 'job', 'once', '--image=nothing'), 'job.batch/once created');
  const list = ['get', 'pods', '-l', 'job-name=once', '-o', 'jsonpath={.items[*].metadata.name}'];
  await eventually('there is a pod', async () => (await kubectl(...list)) !== '');
  await say(await kubectl(...list), { phase: 'Succeeded' });
  const waited = await kubectl('wait', '--for=condition=complete', 'job/once', '--timeout=60s');
  assert.equal(waited, 'job.batch/once condition met');
  assert.equal(await kubectl('get', 'job', 'once', '-o', 'jsonpath={.status.succeeded}'), '1');
  assert.equal(await kubectl('delete', 'job', 'once'), 'job.batch "once" deleted from default namespace');
  await eventually('its pod is gone', async () => (await kubectl(...list)) === '');
});

test('a job can be made of a CronJob, which has a time of its own', async () => {
  const made = await kubectl('create', 'cronjob', 'nightly', '--image=nothing', '--schedule=@daily');
  assert.equal(made, 'cronjob.batch/nightly created');
  assert.equal(await kubectl('create', 'job', 'now', '--from=cronjob/nightly'), 'job.batch/now created');
  const list = ['get', 'pods', '-l', 'job-name=now', '-o', 'jsonpath={.items[*].metadata.name}'];
  await eventually('there is a pod', async () => (await kubectl(...list)) !== '');
  await say(await kubectl(...list), { phase: 'Failed' });
  await eventually('the failure is counted', async () => {
    return (await kubectl('get', 'job', 'now', '-o', 'jsonpath={.status.failed}')) === '1';
  });
});

test('drain stops at a budget, and goes on when it allows', async () => {
  const node = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'fake' } };
  await kubectl('create', '--raw', '/api/v1/nodes', '-f', file('node.json', node));
  await kubectl('run', 'kept', '--image=nothing', '--labels=app=kept', '--overrides={"spec":{"nodeName":"fake"}}');
  await say('kept', { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] });
  await kubectl('create', 'poddisruptionbudget', 'kept', '--selector=app=kept', '--min-available=1');
  const healthy = ['get', 'pdb', 'kept', '-o', 'jsonpath={.status.currentHealthy} {.status.disruptionsAllowed}'];
  await eventually('the budget knows its pod', async () => (await kubectl(...healthy)) === '1 0');
  const drain = ['drain', 'fake', '--force', '--timeout=2s'];
  assert.match(await kubectl(...drain), /Cannot evict pod as it would violate the pod's disruption budget/);
  const taints = ['get', 'node', 'fake', '-o', 'jsonpath={.spec.taints[*].key}'];
  await eventually('the node is tainted', async () =>
    (await kubectl(...taints)).includes('node.kubernetes.io/unschedulable'),
  );
  await kubectl('patch', 'pdb', 'kept', '--type=merge', '-p', '{"spec":{"minAvailable":0}}');
  await eventually('the budget allows one', async () => (await kubectl(...healthy)) === '1 1');
  const evicted = kubectl('drain', 'fake', '--force', '--timeout=60s');
  const path = 'jsonpath={.metadata.deletionTimestamp}';
  await eventually('the pod goes', async () => (await kubectl('get', 'pod', 'kept', '-o', path)) !== '');
  await kubectl('delete', 'pod', 'kept', '--force', '--grace-period=0');
  assert.match(await evicted, /node\/fake drained/);
});

test('a claim is bound to a volume, and both say so', async () => {
  const spec = { accessModes: ['ReadWriteOnce'], storageClassName: '' };
  const volume = { ...spec, capacity: { storage: '1Gi' }, hostPath: { path: '/x' } };
  const claim = { ...spec, resources: { requests: { storage: '1Gi' } } };
  const objects = [
    { apiVersion: 'v1', kind: 'PersistentVolume', metadata: { name: 'one' }, spec: volume },
    { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name: 'data' }, spec: claim },
  ];
  await kubectl('apply', '-f', file('list.json', { apiVersion: 'v1', kind: 'List', items: objects }));
  const waited = await kubectl('wait', '--for=jsonpath={.status.phase}=Bound', 'pvc/data', 'pv/one', '--timeout=60s');
  assert.equal(waited, 'persistentvolumeclaim/data condition met\npersistentvolume/one condition met');
});

function file(name: string, content: object): string {
  const path = join(instance.root, name);
  writeFileSync(path, JSON.stringify(content));
  return path;
}

/** Does what a node would. */
async function say(pod: string, status: object): Promise<void> {
  await kubectl('patch', 'pod', pod, '--subresource=status', '-p', JSON.stringify({ status }));
}

async function kubectl(...args: readonly string[]): Promise<string> {
  const env = { HOME: instance.root, PATH: process.env['PATH'] ?? '', KUBECONFIG: instance.paths.kubeconfig };
  const { stdout, stderr } = await command(kubernetesClient('kubectl'), args, { env, timeoutMs: 90_000 });
  return (stdout + stderr).trim();
}
