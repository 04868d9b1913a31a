import assert from 'node:assert/strict';
import { test } from 'node:test';

import { command } from '../../kit/command.ts';
import { eventually } from '../../kit/eventually.ts';
import { startInstance } from '../../kit/instance.ts';
import { kubernetesClient } from '../../kit/kubernetes-clients.ts';

test('a machine is a node of its cluster and runs its pods, which go on while its daemon is killed', async (t) => {
  const instance = await startInstance(t, { settings: ['kubernetes.node=true', 'kubernetes.nodeName=one'] });
  const kubectl = kubernetesClient('kubectl');
  const ask = async (...args: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await command(kubectl, ['--kubeconfig', instance.paths.kubeconfig, ...args]);
    assert.equal(code, 0, stderr);
    return stdout;
  };
  const isReady = async (): Promise<boolean> => /^one +Ready +<none>/m.test(await ask('get', 'nodes'));
  await eventually('the node is ready', isReady);
  assert.match(await ask('get', 'node', 'one', '-o', 'wide'), /slipway:\/\//);
  const renewed = async (): Promise<string> =>
    ask('get', 'lease', 'one', '-n', 'kube-node-lease', '-o', 'jsonpath={.spec.renewTime}');
  await instance.loadBusybox();
  const words = ['--', 'sh', '-c', 'echo $KUBERNETES_SERVICE_HOST; sleep 1000'];
  await ask('run', 'web', '--image=busybox:latest', '--image-pull-policy=Never', ...words);
  const states =
    'jsonpath={.status.phase} {.status.containerStatuses[0].restartCount} {.status.containerStatuses[0].containerID}';
  const state = async (): Promise<string> => ask('get', 'pod', 'web', '-o', states);
  await eventually('the pod runs', async () => (await state()).startsWith('Running 0 slipway:'));
  const life = await state();
  const before = await renewed();
  await instance.kill9();
  await instance.start();
  await eventually('the lease is renewed', async () => (await renewed()) > before);
  assert.ok(await isReady());
  assert.match(await instance.dockerOutput('network', 'ls'), /\bpods\b/);
  assert.equal(await state(), life);
  const [id = ''] = /(?<=slipway:\/\/)\w+/.exec(life) ?? [];
  assert.equal(await instance.dockerOutput('logs', id), '10.96.0.1');
  await ask('delete', 'pod', 'web', '--grace-period=1');
  assert.equal(await instance.dockerOutput('ps', '-aq'), '');
});
