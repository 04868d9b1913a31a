import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { TestContext } from 'node:test';

import { silentLogger } from '#base/logger.ts';
import { mediaTypes } from '#formats/oci.ts';

import { serveRegistry } from './serve-registry.ts';
import type { RegistryOptions, RunningRegistry } from './serve-registry.ts';
import { RegistryStore } from './store/registry-store.ts';

const never = new AbortController().signal;
const digestOf = (bytes: string): `sha256:${string}` => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

interface World {
  readonly registry: RunningRegistry;
  readonly dataDir: string;
  readonly restart: () => Promise<void>;
  readonly call: (
    method: string,
    path: string,
    body?: string,
    headers?: Readonly<Record<string, string>>,
  ) => Promise<Answer>;
}

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

async function open(t: TestContext, more: Partial<RegistryOptions> = {}): Promise<World> {
  const dataDir = await mkdtemp(join(tmpdir(), 'slipway-registry-'));
  const start = () =>
    serveRegistry({
      dataDir,
      host: '127.0.0.1',
      port: 0,
      tls: undefined,
      htpasswdPath: undefined,
      upstreams: [],
      cacheBytes: 0,
      connect: () => assert.fail('there are no upstreams'),
      logger: silentLogger,
      ...more,
    });
  let registry = await start();
  t.after(async () => {
    await registry[Symbol.asyncDispose]();
    await rm(dataDir, { recursive: true, force: true });
  });
  return {
    get registry() {
      return registry;
    },
    dataDir,
    restart: async () => {
      await registry[Symbol.asyncDispose]();
      registry = await start();
    },
    call: async (method, path, body, headers = {}) => {
      const url = path.startsWith('http') ? path : `${registry.address}${path}`;
      const response = await fetch(url, { method, headers, ...(body === undefined ? {} : { body }) });
      return { status: response.status, headers: response.headers, text: await response.text() };
    },
  };
}

const config = '{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}';
const layer = 'a layer of some bytes';
const manifest = JSON.stringify({
  schemaVersion: 2,
  mediaType: mediaTypes.ociManifest,
  config: { mediaType: mediaTypes.ociConfig, digest: digestOf(config), size: config.length },
  layers: [{ mediaType: mediaTypes.ociLayerGzip, digest: digestOf(layer), size: layer.length }],
});
const typed = { 'content-type': mediaTypes.ociManifest };
const [layerDigest, configDigest, manifestDigest] = [layer, config, manifest].map(digestOf);

async function pushImage({ call }: World, name = 'team/app', tag = '1'): Promise<void> {
  for (const blob of [layer, config]) {
    const pushed = await call('POST', `/v2/${name}/blobs/uploads/?digest=${digestOf(blob)}`, blob);
    assert.equal(pushed.status, 201, pushed.text);
  }
  assert.equal((await call('PUT', `/v2/${name}/manifests/${tag}`, manifest, typed)).status, 201);
}

/** Method, path, status, code of the error, body, headers. */
type Step = readonly [string, string, number, string?, string?, Readonly<Record<string, string>>?];

function codeOf({ text }: Answer): string | undefined {
  return (JSON.parse(text) as { errors: { code: string }[] }).errors[0]?.code;
}

function parsed({ text }: Answer): Readonly<Record<string, unknown>> {
  return JSON.parse(text) as Readonly<Record<string, unknown>>;
}

describe('the conformance of a registry', () => {
  /** Requests in order, each with the status, and where it matters the code of the error, that the specification wants. */
  const story: readonly Step[] = [
    ['GET', '/v2/', 200],
    ['POST', '/v2/', 405, 'UNSUPPORTED'],
    ['GET', '/v3/', 404, 'NAME_UNKNOWN'],
    ['GET', '/v2/team/app/tags/list', 404, 'NAME_UNKNOWN'],
    ['GET', '/v2/Team/app/tags/list', 400, 'NAME_INVALID'],
    ['GET', '/v2/team/_blobs/manifests/1', 400, 'NAME_INVALID'],
    ['GET', '/v2/team/../manifests/manifests/1', 404],
    ['GET', '/v2/team%2F..%2Fapp/manifests/1', 400, 'NAME_INVALID'],
    ['GET', '/v2/team/app/manifests/1', 404, 'MANIFEST_UNKNOWN'],
    ['GET', '/v2/team/app/manifests/..', 404],
    ['GET', `/v2/team/app/blobs/${String(layerDigest)}`, 404, 'BLOB_UNKNOWN'],
    ['HEAD', `/v2/team/app/blobs/${String(layerDigest)}`, 404],
    ['GET', '/v2/team/app/blobs/sha512:00', 400, 'DIGEST_INVALID'],
    ['PATCH', '/v2/team/app/blobs/uploads/0123', 404, 'BLOB_UPLOAD_UNKNOWN', 'x'],
    ['POST', `/v2/team/app/blobs/uploads/?digest=${String(configDigest)}`, 400, 'DIGEST_INVALID', 'other bytes'],
    ['POST', `/v2/team/app/blobs/uploads/?digest=${String(layerDigest)}`, 201, '', layer],
    ['PUT', '/v2/team/app/manifests/1', 404, 'MANIFEST_BLOB_UNKNOWN', manifest, typed],
    ['POST', `/v2/team/app/blobs/uploads/?digest=${String(configDigest)}`, 201, '', config],
    ['PUT', '/v2/team/app/manifests/1', 400, 'MANIFEST_INVALID', '{', typed],
    ['PUT', '/v2/team/app/manifests/1', 400, 'MANIFEST_INVALID', '{"schemaVersion":1}', typed],
    ['PUT', '/v2/team/app/manifests/.bad', 400, 'MANIFEST_INVALID', manifest, typed],
    ['PUT', `/v2/team/app/manifests/${String(layerDigest)}`, 400, 'DIGEST_INVALID', manifest, typed],
    ['PUT', '/v2/team/app/manifests/1', 201, '', manifest, typed],
    ['PUT', `/v2/team/app/manifests/${String(manifestDigest)}`, 201, '', manifest, typed],
    ['HEAD', '/v2/team/app/manifests/1', 200],
    ['GET', '/v2/team/app/manifests/2', 404, 'MANIFEST_UNKNOWN'],
    ['GET', `/v2/other/app/blobs/${String(layerDigest)}`, 404, 'BLOB_UNKNOWN'],
    ['POST', `/v2/other/app/blobs/uploads/?mount=${String(layerDigest)}&from=team/app`, 201],
    ['POST', `/v2/third/app/blobs/uploads/?mount=${String(layerDigest)}`, 201],
    ['POST', `/v2/other/app/blobs/uploads/?mount=${digestOf('nowhere')}&from=team/app`, 202],
    ['HEAD', `/v2/other/app/blobs/${String(layerDigest)}`, 200],
    ['DELETE', `/v2/other/app/blobs/${String(layerDigest)}`, 202],
    ['DELETE', `/v2/other/app/blobs/${String(layerDigest)}`, 404, 'BLOB_UNKNOWN'],
    ['GET', `/v2/team/app/blobs/${String(layerDigest)}`, 200],
    ['GET', `/v2/team/app/blobs/${String(layerDigest)}`, 416, 'RANGE_INVALID', '', { range: 'bytes=90-' }],
    ['GET', '/v2/team/app/referrers/nonsense', 400, 'DIGEST_INVALID'],
    ['GET', `/v2/team/app/referrers/${digestOf('nothing')}`, 200],
    ['DELETE', '/v2/team/app/manifests/1', 202],
    ['GET', '/v2/team/app/manifests/1', 404, 'MANIFEST_UNKNOWN'],
    ['GET', `/v2/team/app/manifests/${String(manifestDigest)}`, 200],
    ['DELETE', `/v2/team/app/manifests/${String(manifestDigest)}`, 202],
    ['GET', `/v2/team/app/manifests/${String(manifestDigest)}`, 404, 'MANIFEST_UNKNOWN'],
    ['GET', '/v2/team/app/tags/list', 200],
  ];

  test('every request of the story has the answer that the specification wants', async (t) => {
    const { call } = await open(t);
    for (const [index, [method, path, status, code = '', body = '', headers = {}]] of story.entries()) {
      const answer = await call(method, path, body === '' ? undefined : body, headers);
      assert.equal(answer.status, status, `step ${String(index)}: ${method} ${path}: ${answer.text}`);
      if (code !== '') assert.equal(codeOf(answer), code, `${method} ${path}`);
    }
  });

  test('what was pushed comes back byte for byte, whole or in ranges, also after a restart', async (t) => {
    const world = await open(t);
    await pushImage(world);
    await world.restart();
    const { call } = world;
    for (const name of ['1', manifestDigest]) {
      const pulled = await call('GET', `/v2/team/app/manifests/${String(name)}`);
      assert.equal(pulled.text, manifest);
      assert.equal(pulled.headers.get('docker-content-digest'), manifestDigest);
      assert.equal(pulled.headers.get('content-type'), mediaTypes.ociManifest);
    }
    const path = `/v2/team/app/blobs/${String(layerDigest)}`;
    assert.equal((await call('GET', path)).text, layer);
    for (const [range, expected] of [
      ['bytes=2-6', layer.slice(2, 7)],
      ['bytes=5-', layer.slice(5)],
      ['bytes=-4', layer.slice(-4)],
    ] as const) {
      const part = await call('GET', path, undefined, { range });
      assert.deepEqual([part.status, part.text], [206, expected]);
    }
    assert.equal((await call('HEAD', path)).headers.get('content-length'), String(layer.length));
  });

  test('a blob comes in pieces, in order, and its upload can be asked about and given up', async (t) => {
    const { call } = await open(t);
    const begun = await call('POST', '/v2/app/blobs/uploads/');
    let location = begun.headers.get('location') ?? '';
    const first = await call('PATCH', location, layer.slice(0, 5), { 'content-range': '0-4' });
    assert.deepEqual([first.status, first.headers.get('range')], [202, '0-4']);
    location = first.headers.get('location') ?? '';
    const wrong = await call('PATCH', location, layer.slice(6), { 'content-range': '6-20' });
    assert.deepEqual([wrong.status, codeOf(wrong)], [416, 'RANGE_INVALID']);
    const asked = await call('GET', location);
    assert.deepEqual([asked.status, asked.headers.get('range')], [204, '0-4']);
    assert.equal((await call('PATCH', location, layer.slice(5, 9))).status, 202);
    const end = await call('PUT', `${location}?digest=${String(layerDigest)}`, layer.slice(9));
    assert.deepEqual([end.status, end.headers.get('location')], [201, `/v2/app/blobs/${String(layerDigest)}`]);
    assert.equal((await call('GET', location)).status, 404);
    const other = (await call('POST', '/v2/app/blobs/uploads/')).headers.get('location') ?? '';
    assert.equal((await call('GET', other.replace('/app/', '/elsewhere/'))).status, 404);
    assert.equal((await call('DELETE', other)).status, 204);
    assert.equal((await call('DELETE', other)).status, 404);
  });

  test('lists come in pages with links', async (t) => {
    const world = await open(t);
    for (const tag of ['c', 'a', 'b']) await pushImage(world, 'team/app', tag);
    await pushImage(world, 'other', '1');
    const { call } = world;
    const page = await call('GET', '/v2/team/app/tags/list?n=2');
    assert.deepEqual(parsed(page), { name: 'team/app', tags: ['a', 'b'] });
    assert.equal(page.headers.get('link'), '</v2/team/app/tags/list?n=2&last=b>; rel="next"');
    const rest = await call('GET', '/v2/team/app/tags/list?n=2&last=b');
    assert.deepEqual([parsed(rest)['tags'], rest.headers.get('link')], [['c'], null]);
    assert.deepEqual(parsed(await call('GET', '/v2/_catalog')), { repositories: ['other', 'team/app'] });
    assert.deepEqual(parsed(await call('GET', '/v2/team/app/tags/list?n=0'))['tags'], []);
  });

  test('what says something of a manifest is listed with it, by kind', async (t) => {
    const world = await open(t);
    await pushImage(world);
    const { call } = world;
    const subject = { mediaType: mediaTypes.ociManifest, digest: manifestDigest, size: manifest.length };
    const signature = JSON.stringify({
      ...(JSON.parse(manifest) as object),
      artifactType: 'test/signature',
      subject,
      annotations: { by: 'ada' },
    });
    const put = await call('PUT', `/v2/team/app/manifests/${digestOf(signature)}`, signature, typed);
    assert.equal(put.headers.get('oci-subject'), manifestDigest);
    const list = async (query: string) => await call('GET', `/v2/team/app/referrers/${String(manifestDigest)}${query}`);
    const all = await list('');
    assert.equal(all.headers.get('content-type'), mediaTypes.ociIndex);
    assert.deepEqual(parsed(all)['manifests'], [
      {
        mediaType: mediaTypes.ociManifest,
        digest: digestOf(signature),
        size: signature.length,
        artifactType: 'test/signature',
        annotations: { by: 'ada' },
      },
    ]);
    const none = await list('?artifactType=other');
    assert.deepEqual([parsed(none)['manifests'], none.headers.get('oci-filters-applied')], [[], 'artifactType']);
    assert.equal((await call('DELETE', `/v2/team/app/manifests/${digestOf(signature)}`)).status, 202);
    assert.deepEqual(parsed(await list(''))['manifests'], []);
  });
});

describe('garbage', () => {
  test('what no manifest names goes when it is old; untagged manifests when asked', async (t) => {
    const world = await open(t);
    const { call, registry, dataDir } = world;
    await pushImage(world);
    await call('POST', `/v2/team/app/blobs/uploads/?digest=${digestOf('stray')}`, 'stray');
    const collect = (untagged: boolean) => registry.collectGarbage({ untagged, graceMs: 60_000 }, never);
    assert.deepEqual(await collect(true), { blobs: 0, manifests: 0, bytes: 0 }, 'all is young');
    const store = new RegistryStore(join(dataDir, 'store'));
    const age = async () => {
      for (const text of [layer, config, manifest, 'stray']) {
        await utimes(store.blobPath(digestOf(text)), 1, 1).catch(() => {});
      }
    };
    await age();
    assert.deepEqual(await collect(true), { blobs: 1, manifests: 0, bytes: 5 });
    assert.equal((await call('HEAD', `/v2/team/app/blobs/${digestOf('stray')}`)).status, 404);
    await call('DELETE', '/v2/team/app/manifests/1');
    await age();
    assert.deepEqual(await collect(false), { blobs: 0, manifests: 0, bytes: 0 });
    assert.equal((await collect(true)).manifests, 1);
    assert.equal((await registry.status()).blobs, 0);
  });
});

describe('access', () => {
  test('without a name and its password nothing is told, whatever is asked', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'slipway-htpasswd-'));
    t.after(() => rm(folder, { recursive: true, force: true }));
    const htpasswdPath = join(folder, 'htpasswd');
    await writeFile(htpasswdPath, '# people\nada:$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW\n');
    const { call } = await open(t, { htpasswdPath });
    const basic = (text: string) => ({ authorization: `Basic ${Buffer.from(text).toString('base64')}` });
    for (const headers of [{}, basic('ada:guess'), basic('eve:secret'), basic(':'), { authorization: 'Bearer x' }]) {
      for (const path of ['/v2/', '/v2/_catalog', '/nowhere']) {
        const answer = await call('GET', path, undefined, headers);
        assert.equal(answer.status, 401, path);
        assert.match(answer.headers.get('www-authenticate') ?? '', /^Basic realm=/);
      }
    }
    assert.equal((await call('GET', '/v2/', undefined, basic('ada:secret'))).status, 200);
    assert.equal((await call('GET', '/v2/', undefined, basic('ada:secret'))).status, 200);
    await writeFile(htpasswdPath, '');
    assert.equal((await call('GET', '/v2/', undefined, basic('ada:secret'))).status, 401, 'whoever is gone is gone');
  });
});
