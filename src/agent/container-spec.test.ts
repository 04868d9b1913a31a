import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { ImageConfig } from '#formats/oci.ts';
import type { Container, Pod } from '#kube/types/gen/core-v1.ts';

import { containerLabels, type ContainerParts, containerSpecOf, engineName } from './container-spec.ts';

const config: ImageConfig = {
  architecture: 'amd64',
  os: 'linux',
  rootfs: { type: 'layers', diff_ids: [] },
  config: {
    User: 'app',
    Entrypoint: ['/entry'],
    Cmd: ['serve', '$(NAME)'],
    Env: ['PATH=/bin', 'NAME=image'],
    WorkingDir: '/srv',
    StopSignal: 'SIGQUIT',
    Volumes: { '/data': {}, '/cache': {} },
  },
};
const pod: Pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { namespace: 'shop', name: 'web', uid: 'u-1' },
  spec: { terminationGracePeriodSeconds: 5 },
  status: { qosClass: 'BestEffort' },
};

function parts(container: Container, change: Partial<ContainerParts> = {}): ContainerParts {
  return {
    pod,
    container: { name: 'main', image: 'shop:1', ...container },
    image: { id: `sha256:${'0'.repeat(64)}`, config },
    sandboxId: 's1',
    environment: new Map([['NAME', 'pod']]),
    mounts: [],
    attempt: 2,
    cgroupParent: '/kubepods/besteffort/u-1',
    memoryBytes: 2 ** 30,
    readProfile: () => '{}',
    ...change,
  };
}

test('what the pod does not say the image says', () => {
  const spec = containerSpecOf(parts({}));
  assert.deepEqual(spec.args, ['/entry', 'serve', '$(NAME)']);
  assert.deepEqual(spec.env, ['PATH=/bin', 'NAME=pod']);
  assert.deepEqual([spec.user, spec.cwd, spec.stopSignal, spec.stopTimeoutSeconds], ['app', '/srv', 'SIGQUIT', 5]);
  assert.deepEqual([spec.ipcMode, spec.network.mode, spec.network.shareWith], ['sandbox:s1', 'container', 's1']);
  assert.deepEqual([spec.restart.name, spec.oomScoreAdj, spec.pidMode], ['no', 1000, '']);
  assert.deepEqual([spec.hostname, spec.utsMode], ['web', '']);
  assert.equal(spec.labels[containerLabels.attempt], '2');
  assert.equal(engineName(pod, 'main', 2), 'k8s_main_web_shop_u-1_2');
});

test('command and arguments as upstream joins them with those of the image', () => {
  for (const [container, wanted] of [
    [{ command: ['sh', '$(NAME)'] }, ['sh', 'pod']],
    [{ args: ['$(NAME)'] }, ['/entry', 'pod']],
    [{ command: ['sh'], args: ['-c', 'x'] }, ['sh', '-c', 'x']],
  ] as const)
    assert.deepEqual(containerSpecOf(parts(container as unknown as Container)).args, wanted);
  const bare = { ...config, config: {} };
  const image = { ...parts({}).image, config: bare };
  assert.throws(() => containerSpecOf(parts({}, { image })), { message: 'no command specified' });
});

test('folders that the image keeps apart are volumes of the container, unless the pod mounts something there', () => {
  const mount = { type: 'bind', source: '/x', target: '/data', readOnly: true } as const;
  const { mounts } = containerSpecOf(parts({}, { mounts: [mount] }));
  assert.deepEqual(mounts, [mount, { type: 'volume', source: '', target: '/cache', readOnly: false }]);
});

test('processes are its own, the host’s, or those of the pod', () => {
  const onHost = { ...pod, spec: { hostPID: true } };
  assert.equal(containerSpecOf(parts({}, { pod: onHost })).pidMode, 'host');
  assert.equal(containerSpecOf(parts({}, { processesOf: 'c1' })).pidMode, 'container:c1');
});
