import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, test } from 'node:test';

import { DockerClient } from '#kit/fake-engine/docker-client.ts';

interface Inspected {
  readonly State: Readonly<Record<string, unknown>>;
  readonly Name: string;
  readonly HostConfig: Readonly<Record<string, unknown>>;
}

async function inspect(client: DockerClient, id: string): Promise<Inspected> {
  return (await client.call('GET', `/containers/${id}/json`)).body as Inspected;
}

describe('a life', () => {
  test('from create to delete, with the statuses that clients expect', async (t) => {
    const client = await DockerClient.start(t);
    const id = await client.create(['wait'], {}, '?name=web');
    const calls: readonly (readonly [string, string, number])[] = [
      ['POST', 'containers/web/start', 204],
      ['POST', 'containers/web/start', 304],
      ['DELETE', 'containers/web', 409],
      ['POST', 'containers/web/pause', 204],
      ['POST', 'containers/web/unpause', 204],
      ['POST', 'containers/web/rename?name=/site', 204],
      ['POST', 'containers/web/stop', 404],
      ['POST', 'containers/site/stop?t=3&signal=INT', 204],
      ['POST', 'containers/site/stop', 304],
      ['POST', 'containers/site/kill', 409],
      ['POST', `containers/${id.slice(0, 12)}/restart?t=0`, 204],
      ['POST', 'containers/site/kill?signal=HUP', 204],
      ['DELETE', 'containers/site?force=1&v=1', 204],
      ['GET', 'containers/site/json', 404],
    ];
    for (const [method, path, status] of calls) {
      assert.equal((await client.call(method, `/${path}`)).status, status, `${method} ${path}`);
    }
    const { calls: asked } = client.engine.containers;
    assert.ok(asked.includes('stop {"timeoutSeconds":3,"signal":"INT"}'));
    assert.ok(asked.includes('restart {"timeoutSeconds":0}'));
    assert.ok(asked.includes('kill HUP'));
    assert.ok(asked.includes('remove {"force":true,"volumes":true}'));
  });

  const wrong: readonly (readonly [string, number, string])[] = [
    ['kill?signal=NOPE', 400, 'Invalid signal: NOPE'],
    ['stop?t=soon', 400, 'is not an integer'],
    ['rename', 400, 'Neither old nor new names may be empty'],
    ['wait?condition=bored', 400, 'invalid condition'],
    ['resize?h=-1&w=5', 400, 'invalid terminal size'],
    ['start?checkpoint=x', 501, 'checkpoints are not supported'],
    ['checkpoints', 501, 'checkpoints are not supported'],
  ];
  for (const [path, status, message] of wrong) {
    test(`refuses ${path}`, async (t) => {
      const client = await DockerClient.start(t);
      await client.create(['wait'], {}, '?name=web');
      const answer = await client.call('POST', `/containers/web/${path}`);
      assert.equal(answer.status, status);
      assert.ok(answer.text.includes(message), answer.text);
    });
  }

  test('the size of the terminal is set at start and changed later', async (t) => {
    const client = await DockerClient.start(t);
    const id = await client.run(['wait'], { Tty: true, HostConfig: { ConsoleSize: [24, 80] } });
    assert.deepEqual(client.engine.containers.processOf(id).size, { rows: 24, columns: 80 });
    assert.equal((await client.call('POST', `/containers/${id}/resize?h=50&w=132`)).status, 200);
    assert.deepEqual(client.engine.containers.processOf(id).size, { rows: 50, columns: 132 });
  });
});

describe('create', () => {
  test('says what clients act on', async (t) => {
    const client = await DockerClient.start(t);
    const missing = await client.call('POST', '/containers/create', { Image: 'nope:1' });
    assert.deepEqual([missing.status, missing.body], [404, { message: 'No such image: nope:1' }]);
    assert.equal((await client.call('POST', '/containers/create', {})).status, 400);
    await client.create(['wait'], {}, '?name=web');
    const taken = await client.call('POST', '/containers/create?name=web', { Image: 'fake', Cmd: ['x'] });
    assert.equal(taken.status, 409);
    assert.match(taken.text, /name \\"\/web\\" is already in use/);
  });

  test('checks the platform that is asked for', async (t) => {
    const client = await DockerClient.start(t);
    client.engine.images.offer('fake:latest');
    const create = (platform: string): Promise<{ status: number; text: string }> =>
      client.call('POST', `/containers/create?platform=${platform}`, { Image: 'fake', Cmd: ['x'] });
    assert.equal((await create('linux/amd64')).status, 201);
    const other = await create('linux/arm64');
    assert.equal(other.status, 404);
    assert.match(other.text, /does not match the specified platform/);
    assert.equal((await create('a/b/c/d')).status, 400);
  });

  test('answers with warnings', async (t) => {
    const client = await DockerClient.start(t);
    client.engine.images.offer('fake:latest');
    const HostConfig = { NetworkMode: 'host', PortBindings: { '80/tcp': [{}] } };
    const { status, body } = await client.call('POST', '/containers/create', { Image: 'fake', Cmd: ['x'], HostConfig });
    assert.equal(status, 201);
    assert.equal((body as { Warnings: string[] }).Warnings.length, 1);
  });
});

describe('wait', () => {
  test('sends its head before the container starts, and the code when it has ended', async (t) => {
    const client = await DockerClient.start(t);
    const id = await client.create(['code', '3']);
    const answer = await client.open('POST', `/containers/${id}/wait?condition=next-exit`);
    assert.equal(answer.statusCode, 200);
    await client.call('POST', `/containers/${id}/start`);
    const [chunk] = (await once(answer, 'data')) as [Buffer];
    assert.deepEqual(JSON.parse(chunk.toString()), { StatusCode: 3 });
  });

  test('waits for the removal too', async (t) => {
    const client = await DockerClient.start(t);
    const id = await client.create(['code', '4'], { HostConfig: { AutoRemove: true } });
    const answer = await client.open('POST', `/containers/${id}/wait?condition=removed`);
    await client.call('POST', `/containers/${id}/start`);
    const [chunk] = (await once(answer, 'data')) as [Buffer];
    assert.deepEqual(JSON.parse(chunk.toString()), { StatusCode: 4 });
    assert.equal(client.engine.containers.find(id), undefined);
  });

  test('answers at once for one that does not run', async (t) => {
    const client = await DockerClient.start(t);
    const id = await client.create(['wait']);
    assert.deepEqual((await client.call('POST', `/containers/${id}/wait`)).body, { StatusCode: 0 });
    assert.equal((await client.call('POST', '/containers/nope/wait')).status, 404);
  });
});

describe('update', () => {
  test('changes what is named and keeps the rest', async (t) => {
    const client = await DockerClient.start(t);
    const id = await client.create(['wait'], { HostConfig: { Memory: 64 * 1024 * 1024, CpuShares: 100 } });
    const update = (body: object): Promise<{ status: number; text: string }> =>
      client.call('POST', `/containers/${id}/update`, body);
    assert.equal((await update({ CpuShares: 200, Memory: 0, Ulimits: null })).status, 200);
    assert.equal((await update({ RestartPolicy: { Name: 'always' } })).status, 200);
    const { HostConfig } = await inspect(client, id);
    const { CpuShares, Memory, MemorySwap, RestartPolicy } = HostConfig;
    assert.deepEqual([CpuShares, Memory, MemorySwap], [200, 67_108_864, 134_217_728]);
    assert.deepEqual(RestartPolicy, { Name: 'always', MaximumRetryCount: 0 });
    const beyond = await update({ Memory: 512 * 1024 * 1024 });
    assert.equal(beyond.status, 400);
    assert.match(beyond.text, /already set memoryswap limit/);
    assert.equal((await update({ Memory: 512 * 1024 * 1024, MemorySwap: -1 })).status, 200);
  });

  test('a new share of CPU replaces one in other terms', async (t) => {
    const client = await DockerClient.start(t);
    const id = await client.create(['wait'], { HostConfig: { CpuPeriod: 50_000, CpuQuota: 25_000 } });
    assert.equal((await client.call('POST', `/containers/${id}/update`, { NanoCpus: 1e9 })).status, 200);
    assert.deepEqual(client.engine.containers.get(id).spec.limits, { cpuPeriodUs: 100_000, cpuQuotaUs: 100_000 });
  });

  test('refuses what cannot change', async (t) => {
    const client = await DockerClient.start(t);
    const id = await client.create(['wait'], { HostConfig: { AutoRemove: true } });
    const refused = await client.call('POST', `/containers/${id}/update`, { Devices: [{ PathOnHost: '/dev/null' }] });
    assert.equal(refused.status, 501);
    const both = await client.call('POST', `/containers/${id}/update`, { RestartPolicy: { Name: 'always' } });
    assert.equal(both.status, 400);
  });
});

describe('prune', () => {
  test('removes what does not run and matches', async (t) => {
    const client = await DockerClient.start(t);
    const running = await client.run(['wait']);
    const done = await client.run(['code', '0']);
    const kept = await client.create(['wait'], { Labels: { keep: 'yes' } });
    await client.engine.containers.wait(done, 'not-running', new AbortController().signal);
    const filters = encodeURIComponent(JSON.stringify({ 'label!': ['keep'] }));
    const { body } = await client.call('POST', `/containers/prune?filters=${filters}`);
    assert.deepEqual(body, { ContainersDeleted: [done], SpaceReclaimed: 11 });
    assert.ok(
      client.engine.containers.find(running) !== undefined && client.engine.containers.find(kept) !== undefined,
    );
    const recent = encodeURIComponent(JSON.stringify({ until: ['24h'] }));
    const none = await client.call('POST', `/containers/prune?filters=${recent}`);
    assert.deepEqual(none.body, { ContainersDeleted: [], SpaceReclaimed: 0 });
  });
});
