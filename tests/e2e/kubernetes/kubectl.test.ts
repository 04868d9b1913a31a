import assert from 'node:assert/strict';
import { copyFileSync, cpSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { createClient } from '#kube/client/create-client.ts';
import type { Http2Transport } from '#remote/http2-transport.ts';

import { Instance } from '../../kit/instance.ts';
import { connectTo } from '../../kit/kube-client.ts';
import { kubernetesClient } from '../../kit/kubernetes-clients.ts';
import { makeRoot } from '../../kit/temp-root.ts';
import { runFakeCluster } from './fake-cluster.ts';
import { runScript } from './run-script.ts';

const scripts = join(import.meta.dirname, 'scripts');
/** Set to 1 to write what clients print into the scripts. */
const isRecording = process.env['RECORD_SCRIPTS'] === '1';

/** Scripts, and their namespaces, for which fakes stand in the place of controllers and nodes. */
const withFakes = new Set(['rollout', 'helm', 'hooks']);

let instance: Instance;
let env: Record<string, string>;
const fakes = new AbortController();
let faking: Promise<void>;
let transport: Http2Transport;

before(async () => {
  instance = new Instance(makeRoot(), { settings: ['kubernetes.controllers=false'] });
  await instance.start();
  const programs = join(instance.root, 'programs');
  mkdirSync(programs);
  for (const name of ['kubectl', 'helm'] as const) symlinkSync(kubernetesClient(name), join(programs, name));
  const home = join(instance.root, 'home');
  mkdirSync(home);
  env = {
    PATH: `${programs}:${process.env['PATH'] ?? ''}`,
    HOME: home,
    KUBE_EDITOR: '',
    NO_COLOR: '1',
  };
  transport = connectTo(instance);
  faking = runFakeCluster(createClient(transport), withFakes, fakes.signal);
});
after(async () => {
  fakes.abort();
  await faking;
  await transport?.[Symbol.asyncDispose]();
  await instance?.destroy();
});

for (const name of readdirSync(scripts).filter((one) => one.endsWith('.txt'))) {
  test(name.replace('.txt', ''), async () => {
    const folder = join(instance.root, 'work', name);
    mkdirSync(folder, { recursive: true });
    cpSync(join(scripts, 'files'), folder, { recursive: true });
    const path = join(scripts, name);
    const config = join(folder, 'kubeconfig');
    copyFileSync(instance.paths.kubeconfig, config);
    const scriptEnv = { ...env, KUBECONFIG: config };
    const { expected, actual } = await runScript({ path, folder, env: scriptEnv, isRecording });
    assert.equal(actual, expected);
  });
}
