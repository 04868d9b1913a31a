import assert from 'node:assert/strict';
import { createServer, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';

import { busyboxTar } from '../../kit/busybox-image.ts';
import { commandOutput } from '../../kit/command.ts';
import { eventually } from '../../kit/eventually.ts';
import { collect, layerTar, noise } from '../../kit/image-room.ts';
import { startInstance } from '../../kit/instance.ts';
import type { Instance } from '../../kit/instance.ts';
import { startRegistry } from '../../kit/registry.ts';
import { tempFolder } from '../../kit/temp-root.ts';
import type { Owner } from '../../kit/temp-root.ts';
import { toolPath } from '../../kit/tools.ts';

test('an image keeps its digest on its way through this machine', async (t) => {
  const [from, to, instance] = await Promise.all([startRegistry(t), startRegistry(t), startInstance(t)]);
  const folder = tempFolder(t);
  await instance.dockerWith({ stdin: busyboxTar() }, 'import', '-', 'busybox:1');
  await instance.dockerOutput('save', '-o', join(folder, 'plain.tar'), 'busybox:1');
  await instance.dockerOutput('rmi', 'busybox:1');
  const source = `${from.address}/app:1`;
  const options = ['--dest-tls-verify=false', '--format=oci', '--dest-compress-format=zstd'];
  await skopeo('copy', ...options, `docker-archive:${join(folder, 'plain.tar')}`, `docker://${source}`);
  const digest = await digestAt(source);

  await instance.dockerOutput('pull', '-q', source);
  await instance.dockerOutput('tag', source, `${to.address}/copy:1`);
  assert.match(await instance.dockerOutput('push', `${to.address}/copy:1`), new RegExp(`digest: ${digest}`));
  assert.equal(await digestAt(`${to.address}/copy:1`), digest);

  const archive = join(folder, 'saved.tar');
  await instance.dockerOutput('save', '-o', archive, source);
  assert.equal(JSON.parse(await skopeo('inspect', `oci-archive:${archive}`)).Digest, digest);
  await instance.dockerOutput('rmi', source, `${to.address}/copy:1`);
  assert.deepEqual(await readdir(blobsOf(instance)), []);
  await instance.dockerOutput('load', '-i', archive);
  await instance.dockerOutput('tag', source, `${to.address}/loaded:1`);
  await instance.dockerOutput('push', '-q', `${to.address}/loaded:1`);
  assert.equal(await digestAt(`${to.address}/loaded:1`), digest);

  // What other clients write, and without the cache: the registry of origin gives the blobs again.
  const oci = join(folder, 'oci.tar');
  await skopeo('copy', '--src-tls-verify=false', `docker://${source}`, `oci-archive:${oci}:skopeo:1`);
  await instance.dockerOutput('load', '-i', oci);
  await instance.dockerOutput('tag', 'skopeo:1', `${to.address}/skopeo:1`);
  await instance.dockerOutput('push', '-q', `${to.address}/skopeo:1`);
  assert.equal(await digestAt(`${to.address}/skopeo:1`), digest);
  await instance.dockerOutput('pull', '-q', source);
  await rm(blobsOf(instance), { recursive: true });
  await instance.restart();
  const third = await startRegistry(t);
  await instance.dockerOutput('tag', source, `${third.address}/app:1`);
  await instance.dockerOutput('push', '-q', `${third.address}/app:1`);
  assert.equal(await digestAt(`${third.address}/app:1`), digest);
});

test('a pull goes on where it ended when the daemon is killed in the middle', async (t) => {
  const [registry, instance] = await Promise.all([startRegistry(t), startInstance(t)]);
  const layer = await collect(asOne(await layerTar({ noise: noise(3_000_000) })));
  await instance.dockerWith({ stdin: layer }, 'import', '-', `${registry.address}/big:1`);
  await instance.dockerOutput('push', '-q', `${registry.address}/big:1`);
  await instance.dockerOutput('rmi', `${registry.address}/big:1`);
  const slow = await startSlowProxy(t, registry.address);
  const pulling = instance.docker('pull', `${slow.address}/big:1`);
  await eventually('a part is on the disk', async () =>
    (await readdir(blobsOf(instance))).some((name) => name.endsWith('.part')),
  );
  await eventually('half of it has come', () => slow.sentBytes() >= 1_000_000);
  await eventually('what came is on the disk', async () => (await partBytes(instance)) >= 10_000);
  await instance.kill9();
  assert.notEqual((await pulling).code, 0);
  slow.stall = false;
  await instance.start();
  await instance.dockerOutput('pull', '-q', `${slow.address}/big:1`);
  const [range] = slow.ranges;
  assert.match(range ?? '', /^bytes=\d{5,}-$/, 'the rest alone was asked for');
});

async function skopeo(...args: readonly string[]): Promise<string> {
  return await commandOutput(toolPath('skopeo'), ['--insecure-policy', ...args]);
}

async function digestAt(name: string): Promise<string> {
  const shown = await skopeo('inspect', '--tls-verify=false', `docker://${name}`);
  return (JSON.parse(shown) as { Digest: string }).Digest;
}

function blobsOf({ paths }: Instance): string {
  return join(paths.data, 'engine/images/layer-blobs');
}

/** Bytes of the downloads that are not whole. */
async function partBytes(instance: Instance): Promise<number> {
  const parts = (await readdir(blobsOf(instance))).filter((name) => name.endsWith('.part'));
  const sizes = await Promise.all(parts.map(async (name) => (await stat(join(blobsOf(instance), name))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}

async function* asOne(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield await Promise.resolve(bytes);
}

/** A registry that, while `stall`, gives a million bytes of each blob and then nothing more. */
async function startSlowProxy(owner: Owner, registry: string) {
  const sentMost = 1_000_000;
  let sent = 0;
  const state = { address: '', stall: true, ranges: [] as string[], sentBytes: () => sent };
  const server = createServer((request, response) => {
    const { url = '', method = '', headers } = request;
    const [host, port] = registry.split(':');
    const up = httpRequest({ host, port, path: url, method, headers: { ...headers, host: registry } }, (answer) => {
      if (headers.range !== undefined) state.ranges.push(headers.range);
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.on('data', (chunk: Buffer) => {
        const left = state.stall && url.includes('/blobs/') ? Math.max(sentMost - sent, 0) : chunk.length;
        response.write(chunk.subarray(0, left));
        sent += Math.min(left, chunk.length);
      });
      answer.on('end', () => (state.stall && sent >= sentMost ? undefined : response.end()));
    });
    up.on('error', () => response.destroy());
    request.pipe(up);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  owner.after(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  state.address = `127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  return state;
}
