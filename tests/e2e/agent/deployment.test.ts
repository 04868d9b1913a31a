import assert from 'node:assert/strict';
import { test } from 'node:test';

import { command } from '../../kit/command.ts';
import { eventually } from '../../kit/eventually.ts';
import { startInstance } from '../../kit/instance.ts';
import { kubernetesClient } from '../../kit/kubernetes-clients.ts';

const script = 'trap "exit 0" TERM; echo version $VERSION; while :; do sleep 0.1; done';
const images = { template: { spec: { containers: [{ name: 'busybox', imagePullPolicy: 'Never' }] } } };

test('a deployment rolls from template to template on real containers, back again, and over a kill of the daemon', async (t) => {
  const instance = await startInstance(t, { settings: ['kubernetes.node=true', 'kubernetes.nodeName=one'] });
  await instance.loadBusybox();
  const kubectl = kubernetesClient('kubectl');
  const ask = async (...args: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await command(kubectl, ['--kubeconfig', instance.paths.kubeconfig, ...args]);
    assert.equal(code, 0, stderr);
    return stdout;
  };
  const rolledOut = async (): Promise<void> => {
    assert.match(await ask('rollout', 'status', 'deployment/web', '--timeout=90s'), /successfully rolled out\n$/);
  };
  const versions = async (): Promise<readonly string[]> =>
    (await ask('logs', '-l', 'app=web', '--tail=-1')).trim().split('\n').toSorted();
  await ask('create', 'deployment', 'web', '--image=busybox:latest', '--replicas=3', '--', 'sh', '-c', script);
  await ask('patch', 'deployment', 'web', '-p', JSON.stringify({ spec: images }));
  await ask('set', 'env', 'deployment/web', 'VERSION=1');
  await rolledOut();
  await eventually('all have begun', async () => (await versions()).join() === 'version 1,version 1,version 1');

  await ask('set', 'env', 'deployment/web', 'VERSION=2');
  await instance.kill9();
  await instance.start();
  await rolledOut();
  await eventually('the new ones run alone', async () => (await versions()).join() === 'version 2,version 2,version 2');
  await ask('rollout', 'undo', 'deployment/web');
  await rolledOut();
  await eventually('the old ones are back', async () => (await versions()).join() === 'version 1,version 1,version 1');

  await ask('scale', 'deployment/web', '--replicas=1');
  await eventually('one is left', async () => (await instance.dockerOutput('ps', '-q')).split('\n').length === 1);
  await ask('delete', 'pod', '-l', 'app=web', '--grace-period=1');
  await rolledOut();
  await ask('delete', 'deployment', 'web');
  await ask('wait', '--for=delete', 'pod', '-l', 'app=web', '--timeout=60s');
  assert.equal(await instance.dockerOutput('ps', '-aq'), '');
});
