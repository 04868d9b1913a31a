import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { Instance } from '../../kit/instance.ts';
import { kubernetesClient } from '../../kit/kubernetes-clients.ts';
import { makeRoot } from '../../kit/temp-root.ts';
import { runScript } from './run-script.ts';

const scripts = join(import.meta.dirname, 'scripts');
/** Set to 1 to write what clients print into the scripts. */
const isRecording = process.env['RECORD_SCRIPTS'] === '1';

let instance: Instance;
let env: Record<string, string>;

before(async () => {
  instance = new Instance(makeRoot(), {});
  await instance.start();
  const programs = join(instance.root, 'programs');
  mkdirSync(programs);
  for (const name of ['kubectl', 'helm'] as const) symlinkSync(kubernetesClient(name), join(programs, name));
  const home = join(instance.root, 'home');
  mkdirSync(home);
  env = {
    PATH: `${programs}:${process.env['PATH'] ?? ''}`,
    HOME: home,
    KUBECONFIG: instance.paths.kubeconfig,
    KUBE_EDITOR: '',
    NO_COLOR: '1',
  };
});
after(async () => instance?.destroy());

for (const name of readdirSync(scripts).filter((one) => one.endsWith('.txt'))) {
  test(name.replace('.txt', ''), async () => {
    const folder = join(instance.root, 'work', name);
    mkdirSync(folder, { recursive: true });
    cpSync(join(scripts, 'files'), folder, { recursive: true });
    const namespace = name.replace('.txt', '');
    const path = join(scripts, name);
    const { expected, actual } = await runScript({ path, folder, env: { ...env, NS: namespace }, isRecording });
    assert.equal(actual, expected);
  });
}
