import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before } from 'node:test';

import type { Instance } from '../../kit/instance.ts';
import { openInstance } from '../../kit/open-instance.ts';
import { startRegistry } from '../../kit/registry.ts';
import { testCommands } from './command-case.ts';

/** User `ada`, password `secret` (bcrypt, cost 4). */
const htpasswd = 'ada:$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW\n';

let instance: Instance;
const places = new Map<string, string>();
const folder = `/tmp/slipway-registry-${String(process.pid)}`;
const saved = join(folder, 'saved.tar');
const endings: (() => Promise<void>)[] = [];

before(async () => {
  mkdirSync(folder);
  instance = await openInstance();
  const owner = { after: (work: () => Promise<void>) => void endings.push(work) };
  places.set('OPEN', (await startRegistry(owner)).address);
  writeFileSync(join(folder, 'Dockerfile'), `FROM ${places.get('OPEN') ?? ''}/a:1\n`);
  places.set('CLOSED', (await startRegistry(owner, { htpasswd })).address);
});
after(async () => {
  rmSync(folder, { recursive: true, force: true });
  for (const end of endings) await end();
  await instance?.destroy();
});

const platform = `linux/${process.arch === 'x64' ? 'amd64' : 'arm64'}`;

testCommands(
  () => instance,
  [
    {
      proves: 'docker push',
      run: [
        ['tag', 'busybox', 'OPEN/a:1'],
        ['tag', 'busybox', 'OPEN/a:2'],
        ['push', 'OPEN/a:1'],
      ],
      shows: /^1: digest: sha256:/m,
    },
    { proves: 'docker push --quiet', run: 'push --quiet OPEN/a:1', shows: /^\S+\/a:1$/m },
    { proves: 'docker push --all-tags', run: 'push --all-tags OPEN/a', shows: /^2: digest: sha256:/m },
    {
      proves: 'docker push --disable-content-trust',
      run: 'push --disable-content-trust OPEN/a:1',
      shows: /digest: sha256:/,
    },
    {
      proves: 'docker pull',
      run: [
        ['rmi', 'OPEN/a:1', 'OPEN/a:2'],
        ['pull', 'OPEN/a:1'],
      ],
      shows: /Status: (Downloaded newer image|Image is up to date)/,
    },
    { proves: 'docker pull --quiet', run: 'pull --quiet OPEN/a:1', shows: /^\S+\/a:1$/m },
    { proves: 'docker pull --platform', run: ['pull', '--platform', platform, 'OPEN/a:2'], shows: /Status: / },
    { proves: 'docker pull --disable-content-trust', run: 'pull --disable-content-trust OPEN/a:1', shows: /Status: / },
    { proves: 'POST /images/{name}/push', run: 'push OPEN/a:1', shows: /digest: sha256:/ },
    { proves: 'docker build --pull', run: ['build', '--pull', folder], shows: /Successfully built/ },
    { proves: 'docker login', run: 'login --username ada --password secret CLOSED', shows: /Login Succeeded/ },
    {
      proves: 'docker login --username',
      run: 'login --username ada --password secret CLOSED',
      shows: /Login Succeeded/,
    },
    {
      proves: 'docker login --password',
      run: 'login --username ada --password secret CLOSED',
      shows: /Login Succeeded/,
    },
    {
      proves: 'docker login --password-stdin',
      run: 'login --username ada --password-stdin CLOSED',
      stdin: 'secret',
      shows: /Login Succeeded/,
    },
    {
      proves: 'POST /auth',
      run: 'login -u ada --password-stdin CLOSED',
      stdin: 'wrong',
      code: 1,
      shows: /unauthorized/,
    },
    {
      proves: 'docker logout',
      run: [
        ['tag', 'busybox', 'CLOSED/b:1'],
        ['push', 'CLOSED/b:1'],
        ['logout', 'CLOSED'],
      ],
      shows: /Removing login credentials/,
    },

    {
      proves: 'docker manifest create',
      run: 'manifest create --insecure OPEN/list:1 OPEN/a:1',
      shows: /Created manifest list/,
    },
    {
      proves: 'docker manifest create --insecure',
      run: 'manifest create --insecure OPEN/list:2 OPEN/a:1',
      shows: /Created manifest list/,
    },
    {
      proves: 'docker manifest create --amend',
      run: 'manifest create --insecure --amend OPEN/list:1 OPEN/a:2',
      shows: /Created manifest list/,
    },
    { proves: 'docker manifest annotate', run: 'manifest annotate --arch arm64 OPEN/list:1 OPEN/a:1' },
    { proves: 'docker manifest annotate --arch', run: 'manifest annotate --arch arm64 OPEN/list:1 OPEN/a:1' },
    { proves: 'docker manifest annotate --os', run: 'manifest annotate --os linux OPEN/list:1 OPEN/a:1' },
    { proves: 'docker manifest annotate --os-features', run: 'manifest annotate --os-features f OPEN/list:1 OPEN/a:1' },
    { proves: 'docker manifest annotate --os-version', run: 'manifest annotate --os-version 1 OPEN/list:1 OPEN/a:1' },
    { proves: 'docker manifest annotate --variant', run: 'manifest annotate --variant v8 OPEN/list:1 OPEN/a:1' },
    {
      proves: 'docker manifest push',
      run: 'manifest push --insecure OPEN/list:1',
      sinceClient: 23,
      shows: /sha256:[0-9a-f]{64}/,
    },
    {
      proves: 'docker manifest push --insecure',
      sinceClient: 23,
      run: 'manifest push --insecure OPEN/list:1',
      shows: /sha256:[0-9a-f]{64}/,
    },
    {
      proves: 'docker manifest inspect',
      run: 'manifest inspect --insecure OPEN/list:1',
      shows: /"architecture": "arm64"/,
    },
    {
      proves: 'docker manifest inspect --insecure',
      run: 'manifest inspect --insecure OPEN/list:1',
      shows: /"variant": "v8"/,
    },
    {
      proves: 'docker manifest inspect --verbose',
      run: 'manifest inspect --verbose --insecure OPEN/list:1',
      shows: /"Descriptor"/,
    },
    {
      proves: 'docker manifest push --purge',
      sinceClient: 23,
      run: 'manifest push --purge --insecure OPEN/list:2',
      shows: /sha256:[0-9a-f]{64}/,
    },
    { proves: 'docker manifest rm', run: 'manifest rm OPEN/list:1' },
    { refuses: 'docker pull --all-tags', run: 'pull --all-tags OPEN/a', sentence: 'Cannot pull all tags of' },

    { proves: 'docker save --platform', run: [['save', '--platform', platform, '--output', saved, 'busybox']] },
    {
      proves: 'docker load --platform',
      run: ['load', '--platform', platform, '--input', saved],
      shows: /Loaded image/,
    },
    { proves: 'docker history --platform', run: ['history', '--platform', platform, 'busybox'], shows: /IMAGE/ },
    {
      proves: 'docker image inspect --platform',
      run: ['image', 'inspect', '--platform', platform, 'busybox'],
      shows: /"Architecture"/,
    },
    { proves: 'docker push --platform', run: ['push', '--platform', platform, 'OPEN/a:1'], shows: /digest: sha256:/ },
    { proves: 'docker rmi --platform', run: ['rmi', '--platform', platform, 'OPEN/a:1'], shows: /Untagged|Deleted/ },
    { proves: 'docker images --tree', run: 'images --tree', shows: /busybox/ },
  ],
  places,
);
