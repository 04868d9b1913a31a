import assert from 'node:assert/strict';
import { test } from 'node:test';

import { command } from '../../kit/command.ts';
import { eventually } from '../../kit/eventually.ts';
import { startInstance } from '../../kit/instance.ts';
import { kubernetesClient } from '../../kit/kubernetes-clients.ts';

test('a machine is a node of its cluster, and is one again after its daemon was killed', async (t) => {
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
  const before = await renewed();
  await instance.kill9();
  await instance.start();
  await eventually('the lease is renewed', async () => (await renewed()) > before);
  assert.ok(await isReady());
  assert.match(await instance.dockerOutput('network', 'ls'), /\bpods\b/);
});
