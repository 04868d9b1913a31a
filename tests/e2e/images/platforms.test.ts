import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { zstdCompressSync } from 'node:zlib';

import { busyboxTar } from '../../kit/busybox-image.ts';
import { command, commandOutput } from '../../kit/command.ts';
import { startInstance } from '../../kit/instance.ts';
import { proves } from '../../kit/proves.ts';
import { startRegistry } from '../../kit/registry.ts';
import { tempFolder } from '../../kit/temp-root.ts';
import { toolPath } from '../../kit/tools.ts';

test(
  'several platforms live under one name, by every command that knows --platform',
  proves('GET /distribution/{name}/json', 'GET /images/search', 'docker search *'),
  async (t) => {
    const [registry, instance] = await Promise.all([startRegistry(t), startInstance(t)]);
    const folder = tempFolder(t);
    const docker = instance.dockerOutput.bind(instance);
    const name = `${registry.address}/multi:1`;
    const parts = [];
    for (const platform of ['linux/amd64', 'linux/s390x']) {
      const part = `${registry.address}/multi:${platform.replace('linux/', '')}`;
      await instance.dockerWith(
        { stdin: busyboxTar() },
        'import',
        '--change',
        `LABEL for=${platform}`,
        '--platform',
        platform,
        '-',
        part,
      );
      await docker('push', '-q', part);
      await docker('rmi', '-f', part);
      parts.push(part);
    }
    await docker('manifest', 'create', '--insecure', name, ...parts);
    const digest = await docker('manifest', 'push', '--insecure', name);
    const label = (platform: readonly string[]): Promise<string> =>
      docker('inspect', '--type', 'image', ...platform, '-f', '{{index .Config.Labels "for"}}', name);

    await docker('pull', '-q', '--platform', 'linux/s390x', name);
    assert.equal(await label([]), 'linux/s390x');
    await docker('pull', '-q', name);
    assert.equal(await label([]), 'linux/amd64');
    assert.match(await docker('images', '--digests'), new RegExp(digest));
    const api = async (path: string): Promise<unknown> => {
      const args = ['-s', '--unix-socket', instance.paths.dockerSocket, `http://docker${path}`];
      return JSON.parse(await commandOutput(toolPath('curl'), args)) as unknown;
    };
    const [listed] = (await api('/v1.48/images/json?manifests=1')) as { Manifests: Record<string, unknown>[] }[];
    assert.deepEqual(
      listed?.Manifests.map(({ Available }) => Available),
      [true, true],
    );
    const { Descriptor, Platforms } = (await api(`/v1.48/distribution/${name}/json`)) as Record<string, unknown>;
    assert.equal((Descriptor as { digest: string }).digest, digest);
    assert.equal((Platforms as unknown[]).length, 2);
    assert.match(await docker('search', `${registry.address}/mul`), /^multi /m);

    const two = await startRegistry(t);
    await docker('tag', name, `${two.address}/copy:1`);
    assert.match(await docker('push', `${two.address}/copy:1`), new RegExp(`digest: ${digest}`));
    const archive = join(folder, 'all.tar');
    await docker('save', '-o', archive, name);
    await docker('rmi', '-f', name, `${two.address}/copy:1`);
    assert.equal(await docker('images', '-aq'), '');
    await docker('load', '-i', archive);
    assert.equal(await label([]), 'linux/amd64');
    await docker('tag', name, `${two.address}/again:1`);
    assert.match(await docker('push', `${two.address}/again:1`), new RegExp(`digest: ${digest}`), 'also by an archive');
  },
);

test('archives load whatever they are compressed with, and whoever wrote them', async (t) => {
  const instance = await startInstance(t);
  const folder = tempFolder(t);
  const at = (file: string): string => join(folder, file);
  await instance.loadBusybox();
  const id = await instance.dockerOutput('images', '-q', '--no-trunc', 'busybox');
  await instance.dockerOutput('save', '-o', at('plain.tar'), 'busybox');
  writeFileSync(at('zstd.tar'), zstdCompressSync(readFileSync(at('plain.tar'))));
  for (const program of ['gzip', 'xz', 'bzip2']) {
    const { code } = await command('/bin/sh', ['-c', `${program} -1 -c plain.tar > ${program}.tar`], { cwd: folder });
    assert.equal(code, 0, program);
  }
  for (const kind of ['docker-archive', 'oci-archive']) {
    const target = `${kind}:${at(`${kind}.tar`)}:busybox:latest`;
    await commandOutput(toolPath('skopeo'), ['--insecure-policy', 'copy', `oci-archive:${at('plain.tar')}`, target]);
  }
  for (const file of ['plain', 'zstd', 'gzip', 'xz', 'bzip2', 'docker-archive', 'oci-archive']) {
    await instance.dockerOutput('rmi', 'busybox');
    assert.equal(await instance.dockerOutput('load', '-q', '-i', at(`${file}.tar`)), 'Loaded image: busybox:latest');
    assert.equal(await instance.dockerOutput('images', '-q', '--no-trunc', 'busybox'), id, file);
  }
});
