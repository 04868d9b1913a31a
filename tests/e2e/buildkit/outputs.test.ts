import assert from 'node:assert/strict';
import { lstatSync, mkdtempSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after as afterAll, before, describe, test } from 'node:test';

import { commandOutput } from '../../kit/command.ts';
import type { Instance } from '../../kit/instance.ts';
import { openInstance } from '../../kit/open-instance.ts';
import { startRegistry } from '../../kit/registry.ts';
import { Buildx } from './buildx.ts';

let instance: Instance;
let buildx: Buildx;

before(async () => {
  instance = await openInstance();
  buildx = new Buildx(instance);
});
afterAll(async () => {
  await instance.destroy();
});

interface Manifests {
  readonly manifests: readonly { readonly platform: { readonly architecture: string } }[];
}

describe('outputs', () => {
  const text = 'FROM scratch\nCOPY files /\nCOPY deep /deep\n';
  const files = { Dockerfile: text, 'files/a.txt': 'A', 'deep/er/b.txt': 'B'.repeat(200_000) };

  test('type=local: the files in a folder of the client, and no image', async () => {
    const folder = buildx.folder(files);
    const target = mkdtempSync(join(instance.root, 'out-'));
    symlinkSync('a.txt', join(folder, 'files/link'));
    const before = await instance.dockerOutput('images', '-aq');
    await buildx.built(folder, ['--output', `type=local,dest=${target}`]);
    assert.deepEqual(readdirSync(target, { recursive: true, encoding: 'utf8' }).sort(), [
      'a.txt',
      'deep',
      'deep/er',
      'deep/er/b.txt',
      'link',
    ]);
    assert.equal(readFileSync(join(target, 'deep/er/b.txt'), 'utf8'), 'B'.repeat(200_000));
    assert.ok(lstatSync(join(target, 'link')).isSymbolicLink());
    assert.equal(await instance.dockerOutput('images', '-aq'), before);
  });

  test('type=tar, type=oci and type=docker: one file of the client', async () => {
    const folder = buildx.folder(files);
    const tar = join(folder, 'out.tar');
    await buildx.built(folder, ['--output', `type=tar,dest=${tar}`]);
    assert.deepEqual((await commandOutput('tar', ['tf', tar])).split('\n'), [
      'a.txt',
      'deep/',
      'deep/er/',
      'deep/er/b.txt',
    ]);
    const before = await instance.dockerOutput('images', '-aq');
    for (const type of ['oci', 'docker']) {
      await buildx.built(folder, ['-t', 'kept/by-client:1', '--output', `type=${type},dest=${tar}`]);
      assert.equal(await instance.dockerOutput('images', '-aq'), before);
      assert.match(await instance.dockerOutput('load', '-i', tar), /Loaded image: kept\/by-client:1/);
      await instance.dockerOutput('rmi', 'kept/by-client:1');
    }
  });

  test('into a registry, with --iidfile and --metadata-file', async (t) => {
    const { address } = await startRegistry(t);
    const folder = buildx.folder(files);
    const [iid, metadata] = [join(folder, 'iid'), join(folder, 'metadata')];
    const name = `${address}/app:1`;
    await buildx.built(folder, ['--push', '-t', name, '--iidfile', iid, '--metadata-file', metadata]);
    const id = await instance.dockerOutput('images', '-q', '--no-trunc', name);
    assert.equal(readFileSync(iid, 'utf8'), id);
    const said = JSON.parse(readFileSync(metadata, 'utf8')) as Record<string, string>;
    assert.equal(said['containerimage.config.digest'], id);
    await instance.dockerOutput('rmi', name);
    await instance.dockerOutput('pull', `${address}/app@${said['containerimage.digest'] ?? ''}`);
  });

  test('a cache travels by a registry to a machine that does not have it, and inline with its image', async (t) => {
    const { address } = await startRegistry(t);
    const folder = buildx.folder({
      Dockerfile: 'FROM busybox AS a\nRUN date +%N > /a\nFROM busybox\nCOPY --from=a /a /b\n',
    });
    const cache = `type=registry,ref=${address}/cache`;
    await buildx.built(folder, ['-t', 'cached', '--cache-to', `${cache},mode=max`]);
    const before = await instance.dockerOutput('run', '--rm', 'cached', 'cat', '/b');
    await instance.dockerOutput('rmi', 'cached');
    await buildx.run(['prune', '--all', '--force']);
    const again = await buildx.built(folder, ['-t', 'cached', '--cache-from', cache]);
    assert.match(again, /CACHED/);
    assert.equal(await instance.dockerOutput('run', '--rm', 'cached', 'cat', '/b'), before);
    const name = `${address}/inline:1`;
    await buildx.built(folder, ['-t', name, '--push', '--cache-to', 'type=inline']);
    await instance.dockerOutput('rmi', 'cached', name);
    await buildx.run(['prune', '--all', '--force']);
    assert.match(await buildx.built(folder, ['--cache-from', name]), /CACHED/);
    const refused = await buildx.build(folder, ['--cache-to', 'type=nowhere']);
    assert.match(refused.stderr, /Cannot take a cache to type=nowhere/);
  });

  test('a cache travels by a folder of the client, which is an OCI layout', async () => {
    const folder = buildx.folder({
      Dockerfile: 'FROM busybox AS a\nRUN date +%N > /a\nFROM busybox\nCOPY --from=a /a /b\n',
    });
    const cache = mkdtempSync(join(instance.root, 'cache-'));
    const dest = `type=local,dest=${cache},mode=max`;
    await buildx.built(folder, ['-t', 'kept', '--cache-to', dest]);
    const before = await instance.dockerOutput('run', '--rm', 'kept', 'cat', '/b');
    const index = JSON.parse(readFileSync(join(cache, 'index.json'), 'utf8')) as { manifests: { digest: string }[] };
    const [, hex = ''] = index.manifests[0]?.digest.split(':') ?? [];
    const manifest = readFileSync(join(cache, 'blobs/sha256', hex), 'utf8');
    assert.match(manifest, /"mediaType":"application\/vnd\.oci\.image\.layer\.v1\.tar\+gzip"/);
    const blobs = readdirSync(join(cache, 'blobs/sha256')).sort();
    await buildx.built(folder, ['--cache-to', dest]);
    assert.deepEqual(readdirSync(join(cache, 'blobs/sha256')).sort(), blobs);
    await instance.dockerOutput('rmi', 'kept');
    await buildx.run(['prune', '--all', '--force']);
    assert.match(await buildx.built(folder, ['-t', 'kept', '--cache-from', `type=local,src=${cache}`]), /CACHED/);
    assert.equal(await instance.dockerOutput('run', '--rm', 'kept', 'cat', '/b'), before);
    await instance.dockerOutput('rmi', 'kept');
    await buildx.run(['prune', '--all', '--force']);
    for (const name of blobs) writeFileSync(join(cache, 'blobs/sha256', name), 'harmed');
    assert.match(await buildx.built(folder, ['--cache-from', `type=local,src=${cache}`]), /Cannot import the cache/);
  });

  test('several outputs at once', async () => {
    const folder = buildx.folder(files);
    const target = mkdtempSync(join(instance.root, 'out-'));
    const tar = join(target, 'out.tar');
    const outputs = [`type=local,dest=${target}/files`, `type=oci,dest=${tar}`, 'type=image'];
    await buildx.built(folder, ['-t', 'all/outputs:1', ...outputs.flatMap((output) => ['--output', output])]);
    assert.equal(readFileSync(join(target, 'files/a.txt'), 'utf8'), 'A');
    assert.match(await commandOutput('tar', ['xOf', tar, 'index.json']), /all\/outputs:1/);
    assert.notEqual(await instance.dockerOutput('images', '-q', 'all/outputs:1'), '');
  });

  test('several platforms: an index in a registry, folders by platform, and no command without an emulator', async (t) => {
    const { address } = await startRegistry(t);
    const text = 'FROM scratch\nARG TARGETARCH\nCOPY deep/$TARGETARCH /\n';
    const folder = buildx.folder({ Dockerfile: text, 'deep/amd64': 'for amd64', 'deep/s390x': 'for s390x' });
    const [name, target] = [`${address}/multi:1`, mkdtempSync(join(instance.root, 'out-'))];
    const platforms = ['--platform', 'linux/amd64,linux/s390x'];
    const said = await buildx.built(folder, [...platforms, '--push', '-t', name, '--provenance=false']);
    assert.match(said, /\[linux\/s390x 1\/1\] COPY/);
    const index = JSON.parse(await instance.dockerOutput('manifest', 'inspect', '--insecure', name)) as Manifests;
    assert.deepEqual(
      index.manifests.map(({ platform }) => platform.architecture),
      ['amd64', 's390x'],
    );
    await buildx.built(folder, [...platforms, '--output', `type=local,dest=${target}`]);
    assert.deepEqual(readdirSync(target, { recursive: true, encoding: 'utf8' }).sort(), [
      'linux_amd64',
      'linux_amd64/amd64',
      'linux_s390x',
      'linux_s390x/s390x',
    ]);
    await buildx.built(folder, [...platforms, '--output', `type=oci,dest=${target}/all.tar`, '-t', name]);
    assert.match(await commandOutput('tar', ['xOf', `${target}/all.tar`, 'index.json']), /image\.index\.v1\+json/);
    await instance.dockerOutput('load', '-i', `${target}/all.tar`);
    const runs = buildx.folder({ Dockerfile: 'FROM scratch\nCOPY x /x\nRUN x\n', x: '' });
    const without = await buildx.build(runs, ['--platform', 'linux/amd64,linux/s390x']);
    assert.equal(without.code, 1);
  });

  test('the provenance of a pushed image is in its index, as buildx asks for it by default', async (t) => {
    const { address } = await startRegistry(t);
    const folder = buildx.folder({
      ...files,
      Dockerfile: 'FROM busybox AS tools\nFROM scratch\nCOPY --from=tools /bin /bin\n',
    });
    const name = `${address}/proved:1`;
    await buildx.built(folder, ['--push', '-t', name]);
    const inspect = (format: string) => buildx.run(['imagetools', 'inspect', '--format', format, name]);
    const { code, stdout, stderr } = await inspect('{{ json .Provenance.SLSA }}');
    assert.equal(code, 0, stderr);
    const said = JSON.parse(stdout) as { materials: { uri: string }[]; metadata: object };
    assert.deepEqual(
      said.materials.map(({ uri }) => uri),
      ['pkg:docker/busybox@latest?platform=linux%2Famd64'],
    );
    const index = JSON.parse((await inspect('{{ json .Manifest }}')).stdout) as Manifests;
    assert.deepEqual(
      index.manifests.map(({ platform }) => platform.architecture),
      [process.arch === 'x64' ? 'amd64' : 'arm64', 'unknown'],
    );
    await instance.dockerOutput('rmi', name);
    await instance.dockerOutput('pull', name);
    await buildx.built(folder, ['-t', name, '--provenance=mode=max', '--build-arg', 'SEEN=yes']);
    await instance.dockerOutput('push', name);
    assert.match((await inspect('{{ json .Provenance.SLSA }}')).stdout, /"build-arg:SEEN": ?"yes"/);
    const beside = await buildx.build(folder, ['--provenance=true', '--output', `type=local,dest=${folder}/out`]);
    assert.match(beside.stderr, /Cannot write the provenance beside files/);
  });

  test('of the context only what is read is sent', async () => {
    const folder = buildx.folder({
      ...files,
      Dockerfile: 'FROM scratch\nARG D=deep\nCOPY files/*.txt /\nCOPY deep/$D /deep\nCOPY link /link\n',
      'deep/deep/c.txt': 'C',
      'other.bin': 'x'.repeat(700_000),
    });
    symlinkSync('files/a.txt', join(folder, 'link'));
    const target = mkdtempSync(join(instance.root, 'out-'));
    const said = await buildx.built(folder, ['--output', `type=local,dest=${target}`]);
    assert.match(said, /transferring context: 2\d\d\.\d+kB/);
    assert.deepEqual(readdirSync(target, { recursive: true, encoding: 'utf8' }).sort(), [
      'a.txt',
      'deep',
      'deep/c.txt',
      'link',
    ]);
  });
});
