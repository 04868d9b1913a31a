import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';

import { silentLogger } from '#base/logger.ts';
import { HttpTransport } from '#engine/images/registry/http-transport.ts';
import { RegistrySession } from '#engine/images/registry/registry-session.ts';
import { eventually } from '#kit/eventually.ts';
import { layerTar, noise } from '#kit/image-room.ts';
import { ScriptedRegistry } from '#kit/scripted-registry.ts';

import { serveRegistry } from '../serve-registry.ts';
import type { RunningRegistry } from '../serve-registry.ts';

interface World {
  readonly upstream: ScriptedRegistry;
  readonly registry: RunningRegistry;
  readonly dataDir: string;
  readonly get: (path: string) => Promise<Response>;
}

async function open(t: TestContext, cacheBytes = 10_000_000): Promise<World> {
  const dataDir = await mkdtemp(join(tmpdir(), 'slipway-cache-'));
  const owned = new AsyncDisposableStack();
  t.after(async () => {
    await owned.disposeAsync();
    await rm(dataDir, { recursive: true, force: true });
  });
  const upstream = owned.use(await ScriptedRegistry.open());
  const transport = owned.use(new HttpTransport({ idleTimeoutMs: 10_000 }));
  const registry = owned.use(
    await serveRegistry({
      dataDir,
      host: '127.0.0.1',
      port: 0,
      tls: undefined,
      htpasswdPath: undefined,
      upstreams: [upstream.host],
      cacheBytes,
      connect: (domain) => {
        return new RegistrySession({ transport, domain, auth: undefined, insecureRegistries: [], retryDelayMs: 1 });
      },
      logger: silentLogger,
    }),
  );
  return { upstream, registry, dataDir, get: (path) => fetch(`${registry.address}${path}`) };
}

test('what is asked for is fetched once, and given when its registry is away', async (t) => {
  const { upstream, get } = await open(t);
  const served = upstream.putImage('team/app', '1', [await layerTar({ a: noise(300_000) })]);
  const layer = served.layerDigests[0] ?? '';
  for (const query of ['', `?ns=${upstream.host}`]) {
    const manifest = await get(`/v2/team/app/manifests/1${query}`);
    assert.equal(manifest.headers.get('docker-content-digest'), served.digest);
    assert.deepEqual(Buffer.from(await manifest.arrayBuffer()), upstream.manifest('team/app', '1'));
    const blob = await get(`/v2/team/app/blobs/${layer}${query}`);
    assert.deepEqual(Buffer.from(await blob.arrayBuffer()), upstream.blobs.get(layer));
  }
  const gets = upstream.seen.filter(({ method, url }) => method === 'GET' && url.includes(layer));
  assert.equal(gets.length, 1);
  upstream.intercept = (_, response) => (response.destroy(), true);
  assert.equal((await get('/v2/team/app/manifests/1')).status, 200);
  assert.equal((await get(`/v2/team/app/manifests/${served.digest}`)).status, 200);
  assert.equal((await get(`/v2/team/app/blobs/${layer}`)).status, 200);
  assert.equal((await get('/v2/team/app/manifests/2')).status, 503);
  upstream.intercept = () => false;
  assert.equal((await get('/v2/team/app/manifests/2')).status, 404);
  assert.equal((await get(`/v2/team/app/manifests/1?ns=elsewhere.example`)).status, 404, 'no open proxy');
  const moved = upstream.putImage('team/app', '1', [await layerTar({ b: 'b' })]);
  const now = await get('/v2/team/app/manifests/1');
  assert.equal(now.headers.get('docker-content-digest'), moved.digest, 'a tag that moved is followed');
});

test('clients share a download while it runs, and what is wrong never becomes a blob', async (t) => {
  const { upstream, get, dataDir } = await open(t);
  const served = upstream.putImage('app', '1', [await layerTar({ a: noise(600_000) })]);
  const layer = served.layerDigests[0] ?? '';
  const bytes = upstream.blobs.get(layer) ?? Buffer.alloc(0);
  const rest = Promise.withResolvers<void>();
  let gets = 0;
  upstream.intercept = ({ url, method }, response) => {
    if (method !== 'GET' || !url.endsWith(layer)) return false;
    gets += 1;
    response.writeHead(200, { 'content-length': bytes.length });
    response.write(bytes.subarray(0, 400_000));
    void rest.promise.then(() => response.end(bytes.subarray(400_000)));
    return true;
  };
  const first = (await get(`/v2/app/blobs/${layer}`)).body?.getReader() ?? assert.fail();
  const received: Uint8Array[] = [];
  const length = () => received.reduce((sum, { length: bytesOf }) => sum + bytesOf, 0);
  while (length() < 400_000)
    received.push((await first.read()).value ?? assert.fail('all that has come is given at once'));
  const second = get(`/v2/app/blobs/${layer}`);
  rest.resolve();
  for (let next = await first.read(); !next.done; next = await first.read()) received.push(next.value);
  assert.deepEqual(Buffer.concat(received), bytes);
  assert.deepEqual(Buffer.from(await (await second).arrayBuffer()), bytes);
  assert.equal(gets, 1);

  const other = upstream.putImage('other', '1', [await layerTar({ b: noise(50_000, 'b') })]).layerDigests[0] ?? '';
  upstream.blobs.set(other, Buffer.alloc(upstream.blobs.get(other)?.length ?? 0));
  upstream.intercept = () => false;
  await assert.rejects(async () => (await get(`/v2/other/blobs/${other}`)).arrayBuffer());
  await eventually('nothing is left of it', async () => (await readdir(join(dataDir, 'cache/uploads'))).length === 0);
  await assert.rejects(async () => (await get(`/v2/other/blobs/${other}`)).arrayBuffer(), 'asked for again');
});

test('the cache keeps its budget, and fetches again what it gave up', async (t) => {
  const { upstream, get, registry } = await open(t, 250_000);
  const layers = [];
  for (const name of ['a', 'b', 'c']) {
    const served = upstream.putImage(name, '1', [await layerTar({ [name]: noise(100_000, name) })]);
    layers.push([name, served.layerDigests[0] ?? ''] as const);
  }
  for (const [name, layer] of [...layers, ...layers]) {
    const blob = Buffer.from(await (await get(`/v2/${name}/blobs/${layer}`)).arrayBuffer());
    assert.deepEqual(blob, upstream.blobs.get(layer));
    await eventually('the budget is kept', async () => (await registry.status()).cachedBytes <= 250_000);
  }
});
