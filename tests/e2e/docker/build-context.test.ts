import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';

import type { BuildRequest } from '#engine/build/builder.ts';
import type { TarInput } from '#formats/tar/write-tar.ts';
import { tarEntry, writeTar } from '#formats/tar/write-tar.ts';
import { DockerClient } from '../../kit/fake-engine/docker-client.ts';
import { proves } from '../../kit/proves.ts';

async function tarOf(...members: readonly TarInput[]): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of writeTar(members)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function file(path: string, text: string, fields: object = {}): TarInput {
  return { entry: tarEntry(path, { sizeBytes: Buffer.byteLength(text), ...fields }), body: Buffer.from(text) };
}

const dockerfile = file('Dockerfile', 'FROM scratch\n');

interface Seen {
  readonly request: BuildRequest;
  readonly names: readonly string[];
}

/** A client whose builds only look at what they were given. */
async function start(t: Parameters<typeof DockerClient.start>[0]): Promise<{ client: DockerClient; seen: Seen[] }> {
  const client = await DockerClient.start(t);
  const seen: Seen[] = [];
  client.engine.build = async (request, onEvent) => {
    seen.push({ request, names: readdirSync(request.contextDir).sort() });
    onEvent({ kind: 'step', number: 1, total: 1, text: 'FROM scratch', stage: '' });
    return `sha256:${'c'.repeat(64)}`;
  };
  return { client, seen };
}

describe('the context of a build', () => {
  test('is unpacked for the builder and deleted afterwards', async (t) => {
    const { client, seen } = await start(t);
    let owner = -1;
    const { build } = client.engine;
    client.engine.build = async (request, onEvent, signal) => {
      owner = lstatSync(join(request.contextDir, 'app.py')).uid;
      assert.equal(readFileSync(join(request.contextDir, 'sub/x'), 'utf8'), 'x');
      return await build(request, onEvent, signal);
    };
    const tar = await tarOf(dockerfile, file('app.py', 'print()', { uid: 1000 }), file('sub/x', 'x'));
    const answer = await client.call('POST', '/build?t=app&buildargs={"A":"b"}', gzipSync(tar));
    assert.equal(answer.status, 200);
    assert.match(answer.text, /Step 1\/1 : FROM scratch/);
    assert.match(answer.text, /"aux":\{"ID":"sha256:c+"\}/);
    assert.match(answer.text, /Successfully tagged app:latest/);
    assert.equal(owner, 0);
    const [first] = seen;
    assert.deepEqual(first?.names, ['Dockerfile', 'app.py', 'sub']);
    assert.deepEqual([first?.request.dockerfile, first?.request.dockerfileName], ['FROM scratch\n', 'Dockerfile']);
    assert.deepEqual([first?.request.tags, first?.request.buildArgs], [['app:latest'], { A: 'b' }]);
    assert.equal(existsSync(first?.request.contextDir ?? ''), false);
  });

  test('has the Dockerfile where the client says', async (t) => {
    const { client, seen } = await start(t);
    const tar = await tarOf(file('docker/Prod', 'FROM prod\n'));
    assert.equal((await client.call('POST', '/build?dockerfile=docker/Prod', tar)).status, 200);
    assert.deepEqual([seen[0]?.request.dockerfileName, seen[0]?.request.dockerfile], ['docker/Prod', 'FROM prod\n']);
    const lower = await client.call('POST', '/build', await tarOf(file('dockerfile', 'FROM low\n')));
    assert.equal(lower.status, 200);
  });

  test('credentials reach the builder', async (t) => {
    const { client, seen } = await start(t);
    const config = Buffer.from(JSON.stringify({ 'localhost:5000': { username: 'u', password: 'p' } }));
    const headers = { 'X-Registry-Config': config.toString('base64url') };
    await client.call('POST', '/build', await tarOf(dockerfile), headers);
    assert.deepEqual(seen[0]?.request.auth('localhost:5000'), { username: 'u', password: 'p' });
  });

  test('that is wrong fails with a status, and leaves nothing', async (t) => {
    const { client } = await start(t);
    const uploads = join(client.engine.options.dataDir, 'docker-uploads');
    const cases: readonly (readonly [string, Buffer, number, RegExp])[] = [
      ['', await tarOf(file('other', 'x')), 400, /Cannot locate specified Dockerfile: Dockerfile/],
      ['?dockerfile=../../etc/passwd', await tarOf(dockerfile), 400, /Cannot locate specified Dockerfile/],
      ['', await tarOf(file('Dockerfile', ' \n')), 400, /the Dockerfile \(Dockerfile\) cannot be empty/],
      ['', await tarOf(dockerfile, file('../evil', 'x')), 400, /leads outside/],
      ['', await tarOf(dockerfile, { entry: tarEntry('d', { type: 'block' }) }), 400, /the build context has a device/],
      ['', (await tarOf(dockerfile)).subarray(0, 515), 400, /truncated/],
      ['?memory=x', await tarOf(dockerfile), 400, /is not an integer/],
    ];
    for (const [query, tar, status, message] of cases) {
      const answer = await client.call('POST', `/build${query}`, tar);
      assert.equal(answer.status, status, answer.text);
      assert.match(answer.text, message);
    }
    // Folders go after their answers.
    const left = (): number => readdirSync(uploads).length;
    assert.equal(left(), 0);
  });

  test('an escaping link in it stays a link', async (t) => {
    const { client } = await start(t);
    const link: TarInput = { entry: tarEntry('Dockerfile', { type: 'symlink', linkTarget: '/etc/hostname' }) };
    const answer = await client.call('POST', '/build', await tarOf(link));
    assert.equal(answer.status, 400);
    assert.match(answer.text, /Cannot locate specified Dockerfile/);
  });

  test('errors of the builder come with a status, or in the stream once it has begun', async (t) => {
    const { client } = await start(t);
    client.engine.build = async () => {
      throw new Error('at once');
    };
    const early = await client.call('POST', '/build', await tarOf(dockerfile));
    assert.deepEqual([early.status, early.body], [500, { message: 'at once' }]);
    client.engine.build = async (_, onEvent) => {
      onEvent({ kind: 'output', bytes: Buffer.from('begun') });
      throw new Error('later');
    };
    const late = await client.call('POST', '/build', await tarOf(dockerfile));
    assert.equal(late.status, 200);
    assert.match(late.text, /\{"errorDetail":\{"message":"later"\},"error":"later"\}/);
  });

  test('comes from afar when the request says so', async (t) => {
    const { client, seen } = await start(t);
    assert.equal((await client.call('POST', '/build?remote=https://h/r.git')).status, 200);
    assert.equal(seen[0]?.request.dockerfile, 'FROM https://h/r.git');
  });

  test('a build ends when it is canceled by its ID', proves('POST /build/cancel'), async (t) => {
    const { client } = await start(t);
    const runs = Promise.withResolvers<void>();
    client.engine.build = async (_, onEvent, signal) => {
      onEvent({ kind: 'output', bytes: Buffer.from('begun') });
      runs.resolve();
      await once(signal, 'abort');
      throw signal.reason;
    };
    const building = client.call('POST', '/build?buildid=mine', await tarOf(dockerfile));
    await runs.promise;
    assert.equal((await client.call('POST', '/build/cancel?id=other')).status, 200);
    assert.equal((await client.call('POST', '/build/cancel?id=mine')).status, 200);
    assert.match((await building).text, /"error":"the build \\"mine\\" was canceled"/);
    assert.equal((await client.call('POST', '/build/cancel')).status, 400);
  });
});

describe('the build cache', () => {
  const prune = async (client: DockerClient, query: string) => await client.call('POST', `/build/prune?${query}`);
  const removed = { CachesDeleted: ['step-1'], SpaceReclaimed: 7 };
  const nothing = { CachesDeleted: [], SpaceReclaimed: 0 };

  test('is pruned by rules of space', async (t) => {
    const { client } = await start(t);
    assert.deepEqual((await prune(client, 'all=1&filters={}')).body, removed);
    assert.deepEqual((await prune(client, '')).body, nothing, 'images have it as well');
    await prune(client, 'keep-storage=5');
    await prune(client, 'reserved-space=1&max-used-space=2&min-free-space=3');
    const { prunes } = client.engine;
    const rules = prunes.map((options) => [options.reservedBytes, options.maxUsedBytes, options.minFreeBytes]);
    assert.deepEqual(rules.slice(2), [
      [5, 0, 0],
      [1, 2, 3],
    ]);
    assert.equal((await prune(client, 'max-used-space=-1')).status, 400);
  });

  const table: readonly (readonly [string, string, object])[] = [
    ['until', '2020-01-01', removed],
    ['until', '1970-01-01', nothing],
    ['id', 'step', removed],
    ['id', 'other', nothing],
    ['type', 'regular', removed],
    ['type', 'exec.cachemount', nothing],
    ['description', 'RUN x', removed],
    ['parent', 'p', nothing],
    ['inuse', 'true', nothing],
    ['shared', '', removed],
    ['private', 'true', nothing],
  ];
  for (const [name, value, result] of table)
    test(`is pruned by ${name} ${value}`, async (t) => {
      const { client } = await start(t);
      const filters = encodeURIComponent(JSON.stringify({ [name]: { [value]: true } }));
      assert.deepEqual((await prune(client, `all=1&filters=${filters}`)).body, result);
    });

  test('filters that make no sense are refused', async (t) => {
    const { client } = await start(t);
    for (const filters of [{ until: ['1h', '2h'] }, { label: ['x'] }, { until: ['never'] }, { shared: ['maybe'] }])
      assert.equal((await prune(client, `all=1&filters=${encodeURIComponent(JSON.stringify(filters))}`)).status, 400);
  });

  test('is shown with its sizes', async (t) => {
    const { client } = await start(t);
    const { body } = await client.call('GET', '/v1.51/system/df?type=build-cache');
    assert.deepEqual((body as { BuildCache: unknown }).BuildCache, [
      {
        ID: 'step-1',
        Parents: [],
        Type: 'regular',
        Description: 'RUN x',
        InUse: false,
        Shared: true,
        Size: 7,
        CreatedAt: '1970-01-01T00:00:01Z',
        LastUsedAt: '1970-01-01T00:00:02Z',
        UsageCount: 3,
      },
    ]);
  });
});
