import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';

import { commandOutput } from '../../kit/command.ts';
import { startInstance } from '../../kit/instance.ts';
import { tempFolder } from '../../kit/temp-root.ts';
import { toolPath } from '../../kit/tools.ts';

test('buildah takes images of the built-in registry and of archives, builds on them and pushes', async (t) => {
  const instance = await startInstance(t, { settings: ['registry.listen=127.0.0.1:0'] });
  const folder = tempFolder(t);
  const storage = ['--root', join(folder, 'root'), '--runroot', join(folder, 'run'), '--storage-driver', 'vfs'];
  const buildah = async (...args: readonly string[]): Promise<string> => {
    const policy = ['--signature-policy', join(import.meta.dirname, 'any-signature.json')];
    const usesPolicy = ['from', 'pull', 'push', 'commit'].includes(args[0] ?? '');
    const [verb = '', ...rest] = args;
    const all = [...storage, verb, ...(usesPolicy ? policy : []), ...rest];
    return (await commandOutput(toolPath('buildah'), all)).trimEnd();
  };
  const { stdout } = await instance.slipway('registry', 'status', '--json');
  const address = new URL((JSON.parse(stdout) as { address: string }).address).host;
  await instance.loadBusybox();
  await instance.dockerOutput('tag', 'busybox', `${address}/base:1`);
  await instance.dockerOutput('push', '-q', `${address}/base:1`);

  const container = await buildah('from', '--tls-verify=false', `docker://${address}/base:1`);
  await buildah('config', '--label', 'by=buildah', '--cmd', 'cat /made', container);
  const root = await buildah('mount', container);
  await commandOutput('sh', ['-c', `echo by buildah > "${root}/made"`]);
  await buildah('umount', container);
  for (const format of ['oci', 'docker']) {
    const image = `${address}/made/${format}:1`;
    await buildah('commit', '--format', format, '--tls-verify=false', container, `docker://${image}`);
    assert.equal(await instance.dockerOutput('run', '--rm', image), 'by buildah');
    assert.equal(await instance.dockerOutput('inspect', '-f', '{{.Config.Labels.by}}', image), 'buildah');
  }
  const archive = join(folder, 'image.tar');
  await instance.dockerOutput('save', '-o', archive, `${address}/made/oci:1`);
  const pulled = await buildah('pull', '--quiet', `docker-archive:${archive}`);
  await buildah('push', '--tls-verify=false', pulled, `docker://${address}/again:1`);
  await buildah('push', pulled, `oci-archive:${join(folder, 'again.tar')}:again:1`);
  assert.equal(await instance.dockerOutput('run', '--rm', `${address}/again:1`), 'by buildah');
  assert.match(await instance.dockerOutput('load', '-i', join(folder, 'again.tar')), /again:1/);
});
