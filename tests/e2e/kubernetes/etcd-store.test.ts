import assert from 'node:assert/strict';
import { cpSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { test, type TestContext } from 'node:test';

import { commandOutput } from '../../kit/command.ts';
import { startEtcd } from '../../kit/etcd.ts';
import { freePort } from '../../kit/free-port.ts';
import { Instance } from '../../kit/instance.ts';
import { kubernetesClient } from '../../kit/kubernetes-clients.ts';
import { makeRoot } from '../../kit/temp-root.ts';

test('two daemons serve one cluster out of etcd', async (t) => {
  const etcd = await startEtcd(t);
  const url = `${etcd.url.replace('http:', 'etcd:')}/slipway`;
  const port = String(await freePort());
  const one = await startDaemon(t, [`kubernetes.listen=127.0.0.1:${port}`, `store.url=${url}`]);
  const two = await startDaemon(t, [`kubernetes.listen=127.0.0.2:${port}`, `store.url=${url}`], one);

  assert.equal(await kubectl(one, 'create', 'configmap', 'shared', '--from-literal=a=b'), 'configmap/shared created');
  assert.equal(await kubectl(two, 'get', 'configmap', 'shared', '-o', 'jsonpath={.data.a}'), 'b');
  const addresses = ['get', 'endpoints', 'kubernetes', '-o', 'jsonpath={.subsets[*].addresses[*].ip}'];
  assert.equal(await kubectl(one, ...addresses), '127.0.0.1 127.0.0.2');
  const slices = ['get', 'endpointslices', '-o', 'jsonpath={.items[*].endpoints[*].addresses[0]}'];
  assert.equal(await kubectl(two, ...slices), '127.0.0.1 127.0.0.2');

  await two.stop();
  assert.equal(await kubectl(one, ...addresses), '127.0.0.1', 'who leaves takes its address away');
  const verb = await one.slipwayWith({ env: { SLIPWAY_STORE_URL: url } }, 'store', 'verify');
  assert.match(verb.stderr, /Cannot verify the store: it is etcd at etcd:\/\/127\.0\.0\.1/);
});

async function startDaemon(t: TestContext, settings: readonly string[], keysOf?: Instance): Promise<Instance> {
  const instance = new Instance(makeRoot(), { settings });
  t.after(async () => await instance.destroy());
  if (keysOf !== undefined) {
    mkdirSync(dirname(instance.paths.pki), { recursive: true });
    cpSync(keysOf.paths.pki, instance.paths.pki, { recursive: true });
  }
  await instance.start();
  return instance;
}

async function kubectl({ root, paths }: Instance, ...args: readonly string[]): Promise<string> {
  const env = { HOME: root, KUBECONFIG: paths.kubeconfig };
  // Warnings, such as the one about Endpoints, come beside.
  return await commandOutput(kubernetesClient('kubectl'), args, { env });
}
