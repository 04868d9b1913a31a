import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { commandOutput } from '../../kit/command.ts';
import { startInstance } from '../../kit/instance.ts';
import type { Instance } from '../../kit/instance.ts';
import { startRegistry } from '../../kit/registry.ts';
import { tempFolder } from '../../kit/temp-root.ts';
import { toolPath } from '../../kit/tools.ts';

async function skopeo(...args: readonly string[]): Promise<string> {
  return await commandOutput(toolPath('skopeo'), ['--insecure-policy', ...args]);
}

/** Where its registry listens: `127.0.0.1:PORT`. */
async function registryOf(instance: Instance): Promise<string> {
  const { stdout, stderr } = await instance.slipway('registry', 'status', '--json');
  assert.notEqual(stdout, '', stderr);
  return new URL((JSON.parse(stdout) as { address: string }).address).host;
}

test('docker and skopeo push to the built-in registry, and pull from it', async (t) => {
  const instance = await startInstance(t, { settings: ['registry.listen=127.0.0.1:0'] });
  const folder = tempFolder(t);
  await instance.loadBusybox();
  const layersOf = (name: string): Promise<string> =>
    instance.dockerOutput('inspect', '-f', '{{.RootFS.Layers}}', name);
  const layers = await layersOf('busybox');
  let address = await registryOf(instance);
  await instance.dockerOutput('tag', 'busybox', `${address}/team/busybox:1`);
  const pushed = await instance.dockerOutput('push', `${address}/team/busybox:1`);
  const [digest = ''] = /sha256:[0-9a-f]{64}/.exec(pushed) ?? [];
  const remote = `docker://${address}/team/busybox:1`;
  assert.equal(
    (JSON.parse(await skopeo('inspect', '--tls-verify=false', remote)) as { Digest: string }).Digest,
    digest,
  );
  for (const [format, compression] of [
    ['oci', 'zstd'],
    ['v2s2', 'gzip'],
  ] as const) {
    const target = `docker://${address}/skopeo/${format}:1`;
    const dir = `dir:${join(folder, format)}`;
    await skopeo('copy', '--src-tls-verify=false', '--dest-decompress', remote, dir);
    const options = ['--dest-tls-verify=false', `--format=${format}`, `--dest-compress-format=${compression}`];
    await skopeo('copy', ...options, dir, target);
  }
  // Durable: a crash costs nothing that was acknowledged.
  await instance.kill9();
  await instance.start();
  address = await registryOf(instance);
  await instance.dockerOutput('rmi', '-f', 'busybox');
  for (const name of ['team/busybox', 'skopeo/oci', 'skopeo/v2s2']) {
    await instance.dockerOutput('pull', '-q', `${address}/${name}:1`);
    // Not the ID: skopeo writes configurations anew.
    assert.equal(await layersOf(`${address}/${name}:1`), layers);
  }
  assert.match(await instance.dockerOutput('search', `${address}/busy`), /^team\/busybox /m);
  await skopeo('delete', '--tls-verify=false', `docker://${address}/skopeo/oci:1`);
  const collected = await instance.slipway('registry', 'gc', '--untagged');
  assert.match(collected.stdout, /^removed 0 blobs \(0\.0 MB\) and 0 manifests/, 'what is young stays');
});

test('elsewhere than on loopback it wants TLS and a login', async (t) => {
  const folder = tempFolder(t);
  const [certificate, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  const names = ['-subj', '/CN=registry', '-addext', 'subjectAltName=IP:0.0.0.0', '-days', '2'];
  const files = ['-keyout', key, '-out', certificate];
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  await commandOutput(toolPath('openssl'), ['req', '-x509', ...kind, ...names, ...files]);
  const htpasswd = join(folder, 'htpasswd');
  writeFileSync(htpasswd, 'ada:$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW\n');
  await assert.rejects(startInstance(t, { settings: ['registry.listen=0.0.0.0:0'] }), {
    message: /Cannot start the registry on 0\.0\.0\.0: others reach it there; set registry\.certificatePath/,
  });
  const settings = ['registry.listen=0.0.0.0:0', `registry.certificatePath=${certificate}`, `registry.keyPath=${key}`];
  const certificates = join(folder, 'certs.d');
  const instance = await startInstance(t, {
    settings: [...settings, `registry.htpasswdPath=${htpasswd}`, `engine.certificatesPath=${certificates}`],
  });
  const address = await registryOf(instance);
  mkdirSync(join(certificates, address), { recursive: true });
  await instance.loadBusybox();
  await instance.dockerOutput('tag', 'busybox', `${address}/busybox`);
  const untrusted = await instance.docker('push', `${address}/busybox`);
  assert.match(untrusted.stderr, /self-signed certificate/);
  await commandOutput('/bin/cp', [certificate, join(certificates, address, 'ca.crt')]);
  const anonymous = await instance.docker('push', `${address}/busybox`);
  assert.match(anonymous.stderr, /unauthorized/i);
  const login = ['login', '-u', 'ada', '--password-stdin', address];
  const wrong = await instance.dockerWith({ stdin: 'guess' }, ...login);
  assert.match(wrong.stderr, /unauthorized/i);
  const right = await instance.dockerWith({ stdin: 'secret' }, ...login);
  assert.match(right.stdout, /Login Succeeded/);
  await instance.dockerOutput('push', '-q', `${address}/busybox`);
  const from = `docker://${address}/busybox:latest`;
  const inspected = await skopeo('inspect', '--creds', 'ada:secret', '--cert-dir', join(certificates, address), from);
  assert.match(inspected, /"Digest": "sha256:/);
  await instance.dockerOutput('logout', address);
  assert.match((await instance.docker('pull', `${address}/busybox`)).stderr, /denied|unauthorized/i);
});

test('as a cache it gives what it has fetched when the other registry is gone', async (t) => {
  const upstream = await startRegistry(t);
  const source = await startInstance(t);
  await source.loadBusybox();
  const name = `${upstream.address}/team/app:1`;
  await source.dockerOutput('tag', 'busybox', name);
  await source.dockerOutput('push', '-q', name);
  await source.dockerOutput('rmi', '-f', name, 'busybox');
  const cache = await startInstance(t, {
    settings: ['registry.listen=127.0.0.1:0', `registry.upstreams=${upstream.address}`],
  });
  const mirror = await registryOf(cache);
  const client = await startInstance(t, { settings: [`engine.mirrors=${upstream.address}=http://${mirror}`] });
  await client.dockerOutput('pull', '-q', name);
  const id = await client.dockerOutput('images', '-q', '--no-trunc', name);
  await client.dockerOutput('rmi', name);
  await upstream.stop();
  await client.dockerOutput('pull', '-q', name);
  assert.equal(await client.dockerOutput('images', '-q', '--no-trunc', name), id);
});
