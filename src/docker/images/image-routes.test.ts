import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { DockerClient } from '#kit/fake-engine/docker-client.ts';
import { referencePattern } from './reference-pattern.ts';

type Body = Readonly<Record<string, unknown>>;

/** The messages of a JSON stream. */
function lines(text: string): readonly Body[] {
  return text
    .split('\r\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Body);
}

function auth(value: object): Record<string, string> {
  return { 'X-Registry-Auth': Buffer.from(JSON.stringify(value)).toString('base64url') };
}

describe('pull', () => {
  test('tells progress and what came of it', async (t) => {
    const client = await DockerClient.start(t);
    client.engine.images.registry.set('hello:1', {});
    const headers = auth({ username: 'u', password: 'p', serveraddress: 'x' });
    const answer = await client.call('POST', '/images/create?fromImage=hello&tag=1', undefined, headers);
    assert.deepEqual(lines(answer.text), [
      { status: 'Pulling from library/hello', progressDetail: {}, id: '1' },
      { status: 'Downloading', progressDetail: { current: 1, total: 2 }, id: 'abc' },
      { status: 'Pull complete', progressDetail: {}, id: 'abc' },
      { status: 'Status: Downloaded newer image for hello:1' },
    ]);
    assert.deepEqual(client.engine.images.calls, ['pull hello:1 {"auth":{"username":"u","password":"p"}}']);
    const again = await client.call(
      'POST',
      '/images/create?fromImage=docker.io/library/hello&tag=1',
      undefined,
      auth({}),
    );
    assert.match(again.text, /Status: Image is up to date for hello:1/);
    assert.equal(client.engine.images.calls[1], 'pull hello:1 {}');
  });

  test('fails with a status when nothing was said yet, else in the stream', async (t) => {
    const client = await DockerClient.start(t);
    const missing = await client.call('POST', '/images/create?fromImage=nope:latest');
    assert.equal(missing.status, 404);
    assert.deepEqual(missing.body, { message: 'manifest for nope:latest not found: manifest unknown' });
    client.engine.images.registry.set('bad:latest', { Labels: { breaks: 'yes' } });
    const broken = await client.call('POST', '/images/create?fromImage=bad&tag=latest');
    assert.equal(broken.status, 200);
    const message = 'the registry went away';
    assert.deepEqual(lines(broken.text).at(-1), { errorDetail: { message }, error: message });
  });

  const wrong: readonly (readonly [string, Record<string, string>, number])[] = [
    ['fromImage=UPPER', {}, 400],
    ['fromImage=a&tag=b%20c', {}, 400],
    ['fromImage=a', {}, 501],
    ['fromImage=a:', {}, 501],
    ['fromImage=a:1&platform=windows/amd64', {}, 501],
    ['fromImage=a:1', { 'X-Registry-Auth': '!!!' }, 400],
    ['fromImage=a:1', auth({ username: 5 }), 400],
    ['fromSrc=http%3A%2F%2Fx%2Fy.tar', {}, 501],
  ];
  for (const [query, headers, status] of wrong) {
    test(`refuses ${query} ${JSON.stringify(headers)}`, async (t) => {
      const client = await DockerClient.start(t);
      assert.equal((await client.call('POST', `/images/create?${query}`, undefined, headers)).status, status);
    });
  }
});

describe('push', () => {
  test('tells the digest', async (t) => {
    const client = await DockerClient.start(t);
    client.engine.images.offer('localhost:5000/app:1');
    const { text } = await client.call('POST', '/images/localhost:5000/app/push?tag=1', undefined, auth({}));
    const [first, progress, digest, aux] = lines(text);
    assert.deepEqual(first, { status: 'The push refers to repository [localhost:5000/app]' });
    assert.deepEqual(progress, { status: 'Pushed', progressDetail: {}, id: 'abc' });
    assert.match(String(digest?.['status']), /^1: digest: sha256:[0-9a-f]{64} size: 528$/);
    assert.equal((aux as { readonly aux: Body }).aux['Size'], 528);
  });

  test('without a tag pushes all of the name', async (t) => {
    const client = await DockerClient.start(t);
    for (const tag of ['app:1', 'app:2', 'other:1']) client.engine.images.offer(tag);
    await client.call('POST', '/images/app/push');
    assert.deepEqual(client.engine.images.calls, ['push app:1 {}', 'push app:2 {}']);
    assert.equal((await client.call('POST', '/images/nope/push')).status, 404);
    assert.equal((await client.call('POST', '/images/nope/push?tag=1')).status, 404);
  });
});

describe('images', () => {
  test('are listed, the newest first, and filtered', async (t) => {
    const client = await DockerClient.start(t);
    const { images } = client.engine;
    images.offer('old:1', { Labels: { a: 'b' } }, '2020-01-01T00:00:00Z');
    images.offer('localhost:5000/team/new:2', {}, '2025-01-01T00:00:00Z');
    const list = async (filters: object): Promise<readonly string[]> => {
      const answer = await client.call('GET', `/images/json?filters=${encodeURIComponent(JSON.stringify(filters))}`);
      assert.equal(answer.status, 200, answer.text);
      return (answer.body as readonly { RepoTags: string[] }[]).map(({ RepoTags }) => RepoTags.join(' '));
    };
    assert.deepEqual(await list({}), ['localhost:5000/team/new:2', 'old:1']);
    assert.deepEqual(await list({ label: ['a=b'] }), ['old:1']);
    assert.deepEqual(await list({ dangling: ['true'] }), []);
    assert.deepEqual(await list({ reference: ['o*'] }), ['old:1']);
    assert.deepEqual(await list({ reference: ['localhost:5000/*/new'] }), ['localhost:5000/team/new:2']);
    assert.deepEqual(await list({ before: ['localhost:5000/team/new:2'] }), ['old:1']);
    assert.deepEqual(await list({ since: ['old:1'] }), ['localhost:5000/team/new:2']);
    assert.deepEqual(await list({ until: ['2024-01-01'] }), ['old:1']);
    const bad = await client.call('GET', '/images/json?filters=%7B%22x%22%3A%5B%5D%7D');
    assert.equal(bad.status, 400);
  });

  test('are inspected by names with slashes', async (t) => {
    const client = await DockerClient.start(t);
    const image = client.engine.images.offer('localhost:5000/team/app:1', { Cmd: ['x'] });
    const { status, body } = await client.call('GET', '/images/localhost:5000/team/app:1/json');
    assert.equal(status, 200);
    const shown = body as Body;
    assert.deepEqual([shown['Id'], shown['RepoTags'], shown['Size']], [image.id, image.tags, 1000]);
    assert.deepEqual((shown['Config'] as Body)['Cmd'], ['x']);
    assert.deepEqual(shown['RootFS'], { Type: 'layers', Layers: image.config.rootfs.diff_ids });
    assert.deepEqual(shown['Metadata'], { LastTagTime: '2023-11-14T22:13:20.123Z' });
    const history = (await client.call('GET', '/images/localhost:5000/team/app:1/history')).body as readonly Body[];
    assert.deepEqual([history[0]?.['Id'], history[0]?.['CreatedBy']], [image.id, 'made by a test']);
    assert.equal((await client.call('GET', '/images/nope/json')).status, 404);
  });

  test('are tagged and removed', async (t) => {
    const client = await DockerClient.start(t);
    const { id } = client.engine.images.offer('app:1');
    assert.equal((await client.call('POST', '/images/app:1/tag?repo=docker.io/library/web&tag=2')).status, 201);
    assert.deepEqual(client.engine.images.get('app:1').tags, ['app:1', 'web:2']);
    assert.equal((await client.call('POST', '/images/app:1/tag?repo=BAD')).status, 400);
    const byDigest = `repo=web@sha256:${'a'.repeat(64)}`;
    assert.equal((await client.call('POST', `/images/app:1/tag?${byDigest}`)).status, 400);
    const removed = await client.call('DELETE', '/images/web:2?force=1&noprune=1');
    assert.deepEqual(removed.body, [{ Untagged: 'app:1' }, { Untagged: 'web:2' }, { Deleted: id }]);
    assert.equal(client.engine.images.calls[0], 'remove web:2 {"force":true,"prune":false}');
    assert.equal((await client.call('DELETE', '/images/web:2')).status, 404);
  });

  test('are pruned by label and age', async (t) => {
    const client = await DockerClient.start(t);
    const { images } = client.engine;
    const old = images.offer('old:1', {}, '2020-01-01T00:00:00Z');
    images.offer('kept:1', { Labels: { keep: '' } }, '2020-01-01T00:00:00Z');
    images.offer('new:1', {}, '2025-01-01T00:00:00Z');
    const filters = { dangling: ['false'], until: ['2024-01-01'], 'label!': ['keep'] };
    const { body } = await client.call('POST', `/images/prune?filters=${encodeURIComponent(JSON.stringify(filters))}`);
    assert.deepEqual(body, { ImagesDeleted: [{ Deleted: old.id }], SpaceReclaimed: 1 });
    assert.deepEqual((await client.call('POST', '/images/prune')).body, { ImagesDeleted: [], SpaceReclaimed: 0 });
  });

  test('are saved, loaded and imported as streams', async (t) => {
    const client = await DockerClient.start(t);
    client.engine.images.offer('a:1');
    client.engine.images.offer('b:1');
    const saved = await client.call('GET', '/images/get?names=a:1&names=b:1');
    assert.deepEqual([saved.headers['content-type'], saved.text], ['application/x-tar', 'saved a:1 b:1']);
    assert.equal((await client.call('GET', '/images/a:1/get')).text, 'saved a:1');
    assert.equal((await client.call('GET', '/images/get?names=nope')).status, 404);
    assert.equal((await client.call('GET', '/images/get')).status, 400);
    const loaded = await client.call('POST', '/images/load?quiet=0', Buffer.from('app:1'));
    assert.deepEqual(lines(loaded.text), [{ status: 'Loading layer' }, { stream: 'Loaded image: app:1\n' }]);
    const query = 'fromSrc=-&repo=app&tag=2&message=hi&changes=CMD%20%5B%22x%22%5D&changes=ENV%20A%3Db%20C%3D%24A';
    const imported = await client.call('POST', `/images/create?${query}`, Buffer.from('12345'));
    assert.match(String(lines(imported.text)[0]?.['status']), /^sha256:/);
    const call = client.engine.images.calls.find((text) => text.startsWith('import')) ?? '';
    assert.match(call, /^import 5 .*"tag":"2".*"message":"hi".*"config":\{"Cmd":\["x"\],"Env":\["A=b","C="\]\}/);
    const bad = await client.call('POST', '/images/create?fromSrc=-&changes=RUN%20x', Buffer.from(''));
    assert.deepEqual([bad.status, bad.body], [400, { message: 'RUN is not a valid change command' }]);
  });

  test('are looked up in their registry, and searched for', async (t) => {
    const client = await DockerClient.start(t);
    client.engine.images.registry.set('x:1', {});
    const found = await client.call('GET', '/distribution/x:1/json', undefined, auth({ username: 'u', password: 'p' }));
    assert.deepEqual(
      [found.status, (found.body as Body)['Platforms']],
      [200, [{ os: 'linux', architecture: 'amd64' }]],
    );
    assert.equal((await client.call('GET', '/distribution/nope/json')).status, 404);
    const search = async (query: string): Promise<readonly unknown[]> => {
      const { body, text } = await client.call('GET', `/images/search?${query}`);
      assert.ok(Array.isArray(body), text);
      return body.map((one: Body) => one['name']);
    };
    assert.deepEqual(await search('term=app'), ['app', 'my-app']);
    assert.deepEqual(await search('term=hub.example:5000%2Fteam%2Fapp&limit=7'), ['team/app', 'my-team/app']);
    assert.deepEqual(await search(`term=app&filters=${encodeURIComponent('{"stars":["3"]}')}`), ['app']);
    assert.deepEqual(await search(`term=app&filters=${encodeURIComponent('{"is-official":["false"]}')}`), ['my-app']);
    for (const wrong of ['term=', 'term=x&limit=101', `term=x&filters=${encodeURIComponent('{"stars":["many"]}')}`]) {
      assert.equal((await client.call('GET', `/images/search?${wrong}`)).status, 400, wrong);
    }
    assert.deepEqual(client.engine.images.calls.slice(0, 3), [
      'lookUp x:1 {"auth":{"username":"u","password":"p"}}',
      'lookUp nope {}',
      'search {"registry":"","term":"app","limit":25}',
    ]);
    assert.equal(client.engine.images.calls[3], 'search {"registry":"hub.example:5000","term":"team/app","limit":7}');
  });

  test('tell of the platforms that their names stand for', async (t) => {
    const client = await DockerClient.start(t);
    const { id } = client.engine.images.offer('app:1');
    const arm = encodeURIComponent('{"os":"linux","architecture":"arm64"}');
    const [listed = {}] = (await client.call('GET', '/images/json?manifests=1')).body as readonly Body[];
    const inspected = (await client.call('GET', '/images/app:1/json?manifests=1')).body as Body;
    for (const body of [listed, inspected]) {
      const [here, absent] = body['Manifests'] as readonly Body[];
      assert.equal((body['Descriptor'] as Body)['size'], 900);
      assert.deepEqual([here?.['Available'], absent?.['Available']], [true, false]);
      assert.deepEqual(here?.['Size'], { Content: 600, Total: 1600 });
      assert.deepEqual([here?.['Kind'], absent?.['Kind']], ['image', 'image']);
      assert.deepEqual(here?.['ImageData'], {
        Platform: { os: 'linux', architecture: 'amd64' },
        Containers: [],
        Size: { Unpacked: 1000 },
      });
    }
    assert.equal('Manifests' in ((await client.call('GET', '/images/app:1/json')).body as Body), false);
    for (const path of ['/images/app:1/json', '/images/app:1/history', '/images/app:1/get']) {
      const { status, text } = await client.call('GET', `${path}?platform=${arm}`);
      assert.equal(status, 404, path);
      assert.match(text, /does not match the specified platform \(linux\/arm64\)/);
    }
    assert.equal((await client.call('GET', `/images/app:1/json?manifests=1&platform=${arm}`)).status, 400);
    await client.call('DELETE', `/images/${id}?platforms=${arm}`);
    assert.match(client.engine.images.calls.at(-1) ?? '', /"platforms":\[\{"os":"linux","architecture":"arm64"\}\]/);
  });
});

describe('commit', () => {
  test("makes an image of the container's configuration and the changes", async (t) => {
    const client = await DockerClient.start(t);
    const id = await client.create(['wait'], { Env: ['A=b'], Labels: { x: 'y' } });
    const changes = ['ENV C=d', 'WORKDIR /w', 'WORKDIR sub', 'EXPOSE 80', 'ENTRYPOINT ["/e"]', 'LABEL x=z'];
    const query = changes.map((change) => `changes=${encodeURIComponent(change)}`).join('&');
    const path = `/commit?container=${id}&repo=made&tag=1&author=me&comment=why&${query}`;
    const { status, body, text } = await client.call('POST', path, {});
    assert.equal(status, 201, text);
    const image = client.engine.images.get((body as { Id: string }).Id);
    assert.deepEqual(image.tags, ['made:1']);
    const config = image.config.config ?? {};
    assert.deepEqual([config.Env, config.WorkingDir, config.Labels], [['A=b', 'C=d'], '/w/sub', { x: 'z' }]);
    assert.deepEqual([config.Entrypoint, config.Cmd], [['/e'], ['wait']]);
    assert.deepEqual(Object.keys(config.ExposedPorts ?? {}), ['80/tcp']);
    assert.equal(image.config.rootfs.diff_ids.length, 2);
    const step = image.config.history?.at(-1);
    assert.deepEqual([step?.author, step?.comment, step?.created_by], ['me', 'why', 'wait']);
  });

  test('refuses what cannot be', async (t) => {
    const client = await DockerClient.start(t);
    const id = await client.create(['wait']);
    assert.equal((await client.call('POST', '/commit?container=nope')).status, 404);
    assert.equal((await client.call('POST', `/commit?container=${id}&repo=BAD`)).status, 400);
    assert.equal((await client.call('POST', `/commit?container=${id}&changes=FROM%20x`)).status, 400);
  });
});

describe('reference patterns', () => {
  const cases: readonly (readonly [string, string, boolean])[] = [
    ['busybox', 'busybox:latest', true],
    ['busybox:l*', 'busybox:latest', true],
    ['b?sybox', 'busybox:latest', true],
    ['[a-c]usybox', 'busybox:1', true],
    ['[^a-c]usybox', 'busybox:1', false],
    ['*', 'localhost:5000/a:1', false],
    ['*/*', 'localhost:5000/a:1', true],
    ['docker.io/library/busybox', 'busybox:1', true],
    [String.raw`b\*`, 'busybox:1', false],
    ['a*b*c', 'aXbYcZ', false],
    ['a*b*c', 'aXbYbZc', true],
  ];
  for (const [pattern, name, expected] of cases) {
    test(`${pattern} ${expected ? 'matches' : 'misses'} ${name}`, () =>
      assert.equal(referencePattern(pattern)(name), expected));
  }

  test('take no time for many stars', () => {
    assert.equal(referencePattern(`${'a*'.repeat(200)}b`)('a'.repeat(2000)), false);
  });
});
