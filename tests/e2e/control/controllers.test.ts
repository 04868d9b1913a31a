import assert from 'node:assert/strict';
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

/** Does what a node would. */
async function say(pod: string, status: object): Promise<void> {
  await kubectl('patch', 'pod', pod, '--subresource=status', '-p', JSON.stringify({ status }));
}

async function kubectl(...args: readonly string[]): Promise<string> {
  const env = { HOME: instance.root, PATH: process.env['PATH'] ?? '', KUBECONFIG: instance.paths.kubeconfig };
  const { stdout, stderr } = await command(kubernetesClient('kubectl'), args, { env, timeoutMs: 90_000 });
  return (stdout + stderr).trim();
}
