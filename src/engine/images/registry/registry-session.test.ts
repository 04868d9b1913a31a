import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { parseReference } from '#formats/reference.ts';
import { ImageRoom, layerTar, noise } from '#kit/image-room.ts';
import type { Intercept } from '#kit/scripted-registry.ts';
import { refuse, ScriptedRegistry } from '#kit/scripted-registry.ts';

const never = new AbortController().signal;
const quiet = (): void => {};

describe('a registry that is ill', () => {
  test('answers of 500 are asked again a bounded number of times, then Unavailable says where', async () => {
    await using registry = await ScriptedRegistry.open();
    await using room = await ImageRoom.open();
    registry.putImage('app', 'latest', [await layerTar({ a: 'a' })]);
    const name = parseReference(`${registry.host}/app`);
    let failures = 0;
    registry.intercept = ({ url }, response) => {
      if (!url.includes('/manifests/')) return false;
      failures += 1;
      refuse(response, 503, 'UNAVAILABLE', 'the store is away');
      return true;
    };
    await assert.rejects(room.images.pull(name, {}, quiet, never), {
      reason: 'Unavailable',
      message: `registry ${registry.host} answered 503 to GET /v2/app/manifests/latest (unavailable: the store is away); try again later`,
    });
    assert.equal(failures, 5);

    let left = 3;
    registry.intercept = (_, response) => {
      left -= 1;
      if (left < 0) return false;
      if (left > 0) refuse(response, 500, 'UNKNOWN', '');
      else response.destroy();
      return true;
    };
    assert.equal((await room.images.pull(name, {}, quiet, never)).tags.length, 1);
  });

  test('silence ends with Timeout, before the answer and in its middle', async () => {
    await using registry = await ScriptedRegistry.open();
    await using room = await ImageRoom.open({ idleTimeoutMs: 150 });
    const { layerDigests } = registry.putImage('app', 'latest', [await layerTar({ a: noise(20_000) })]);
    const layer = layerDigests[0] ?? '';
    const silences: readonly Intercept[] = [
      ({ url }) => url.includes('/manifests/'),
      ({ url }, response) => {
        if (!url.endsWith(layer)) return false;
        response.writeHead(200, { 'content-length': registry.blobs.get(layer)?.length });
        return response.write('') || true;
      },
    ];
    for (const silence of silences) {
      registry.intercept = silence;
      await assert.rejects(room.images.pull(parseReference(`${registry.host}/app`), {}, quiet, never), {
        reason: 'Timeout',
        message: /the registry was silent for 0.15 s/,
      });
    }
    assert.deepEqual(room.snapshots.layers(), []);
    assert.deepEqual(await room.leftovers(), []);
  });

  test('a download that breaks off goes on where it ended, or from the start where ranges are unknown', async () => {
    await using registry = await ScriptedRegistry.open();
    await using room = await ImageRoom.open();
    const { layerDigests } = registry.putImage('app', 'latest', [await layerTar({ a: noise(300_000) })]);
    const layer = layerDigests[0] ?? '';
    const body = registry.blobs.get(layer) ?? Buffer.alloc(0);
    for (const { ranges, clean } of [
      { ranges: true, clean: true },
      { ranges: false, clean: true },
      { ranges: true, clean: false },
    ]) {
      let breaks = 2;
      registry.seen.length = 0;
      registry.intercept = ({ url, range }, response) => {
        if (!url.endsWith(layer) || (breaks === 0 && ranges)) return false;
        const start = ranges ? Number(/\d+/.exec(range ?? '0')?.[0]) : 0;
        const rest = body.subarray(start);
        const span = `bytes ${String(start)}-${String(body.length - 1)}/${String(body.length)}`;
        response.writeHead(start > 0 ? 206 : 200, { 'content-range': span });
        if (breaks === 0) response.end(rest);
        else if (clean) response.end(rest.subarray(0, 100_000));
        else response.write(rest.subarray(0, 100_000), () => response.destroy());
        breaks -= 1;
        return true;
      };
      await room.images.pull(parseReference(`${registry.host}/app`), {}, quiet, never);
      const asked = registry.seen.filter(({ url }) => url.endsWith(layer)).map(({ range }) => range !== undefined);
      assert.equal(asked.length, 3);
      // What was underway when a connection broke may be lost, and then there is nothing to take up.
      if (clean) assert.deepEqual(asked, [false, true, true]);
      await room.images.remove(`${registry.host}/app`, { force: false, prune: true }, never);
    }
  });

  test('a registry that is not there is Unavailable at once', async () => {
    const registry = await ScriptedRegistry.open();
    const { host } = registry;
    await registry[Symbol.asyncDispose]();
    await using room = await ImageRoom.open();
    await assert.rejects(room.images.pull(parseReference(`${host}/app`), {}, quiet, never), {
      reason: 'Unavailable',
      message: new RegExp(`^Cannot reach registry "${host}"`),
    });
  });
});

describe('credentials', () => {
  const basic = `Basic ${Buffer.from('ada:secret').toString('base64')}`;

  test('a bearer token is fetched for the scope, with the credentials shown to its server alone', async () => {
    await using registry = await ScriptedRegistry.open();
    await using tokens = await ScriptedRegistry.open();
    await using room = await ImageRoom.open();
    registry.putImage('team/app', 'latest', [await layerTar({ a: 'a' })]);
    tokens.intercept = ({ authorization, url }, response) => {
      const right = authorization === basic && url.includes('scope=repository%3Ateam%2Fapp%3Apull');
      if (right) response.end(JSON.stringify({ token: 'letmein' }));
      else response.writeHead(401).end(JSON.stringify({ details: 'incorrect username or password' }));
      return true;
    };
    const challenge = `Bearer realm="http://${tokens.host}/token",service="the registry",scope="ignored"`;
    registry.intercept = ({ authorization }, response) => {
      if (authorization === 'Bearer letmein') return false;
      refuse(response, 401, 'UNAUTHORIZED', 'authentication required', { 'www-authenticate': challenge });
      return true;
    };
    const name = parseReference(`${registry.host}/team/app`);
    await room.images.pull(name, { auth: { username: 'ada', password: 'secret' } }, quiet, never);
    const shown = new Set(registry.seen.map(({ authorization }) => authorization));
    assert.deepEqual([...shown], [undefined, 'Bearer letmein']);
    assert.equal(tokens.seen.length, 1, 'one token serves the whole pull');
    await assert.rejects(room.images.pull(name, { auth: { username: 'ada', password: 'wrong' } }, quiet, never), {
      reason: 'Unauthorized',
      message: /incorrect username or password/,
    });
  });

  test('identity tokens are traded by POST; a registry token is shown as it is', async () => {
    await using registry = await ScriptedRegistry.open();
    await using room = await ImageRoom.open();
    registry.putImage('app', 'latest', [await layerTar({ a: 'a' })]);
    const challenge = `Bearer realm="http://${registry.host}/token",service="s"`;
    registry.intercept = ({ authorization, url, method }, response) => {
      if (url === '/token' && method === 'POST') return response.end('{"access_token":"traded"}') && true;
      if (authorization === 'Bearer traded' || authorization === 'Bearer given') return false;
      refuse(response, 401, 'UNAUTHORIZED', '', { 'www-authenticate': challenge });
      return true;
    };
    for (const auth of [{ identityToken: 'identity' }, { registryToken: 'given' }]) {
      await room.images.pull(parseReference(`${registry.host}/app`), { auth }, quiet, never);
    }
  });

  test('redirects are followed without credentials; to a host without TLS only from one without', async () => {
    await using registry = await ScriptedRegistry.open();
    await using store = await ScriptedRegistry.open();
    await using room = await ImageRoom.open();
    const { layerDigests } = registry.putImage('app', 'latest', [await layerTar({ a: 'a' })]);
    const layer = layerDigests[0] ?? '';
    store.intercept = (_, response) => response.end(registry.blobs.get(layer)) && true;
    registry.intercept = ({ authorization, url }, response) => {
      if (authorization !== basic) refuse(response, 401, 'UNAUTHORIZED', '', { 'www-authenticate': 'Basic realm="r"' });
      else if (url.endsWith(layer)) response.writeHead(307, { location: `http://${store.host}/signed` }).end();
      else return false;
      return true;
    };
    const auth = { username: 'ada', password: 'secret' };
    await room.images.pull(parseReference(`${registry.host}/app`), { auth }, quiet, never);
    assert.deepEqual(
      store.seen.map(({ url, authorization }) => [url, authorization]),
      [['/signed', undefined]],
    );

    await room.images.remove(`${registry.host}/app`, { force: false, prune: true }, never);
    registry.intercept = ({ url }, response) => {
      if (!url.endsWith(layer)) return false;
      response.writeHead(302, { location: url }).end();
      return true;
    };
    await assert.rejects(room.images.pull(parseReference(`${registry.host}/app`), {}, quiet, never), {
      reason: 'Unavailable',
      message: /too many redirects/,
    });
  });

  test('a login gets an identity token where the token server gives one', async () => {
    await using registry = await ScriptedRegistry.open();
    await using room = await ImageRoom.open();
    const challenge = `Bearer realm="http://${registry.host}/token",service="s"`;
    registry.intercept = ({ authorization, url }, response) => {
      if (url.startsWith('/token?')) {
        const isAsked = url.includes('offline_token=true') && url.includes('client_id=') && authorization === basic;
        response.end(JSON.stringify({ token: 'now', ...(isAsked ? { refresh_token: 'later' } : {}) }));
      } else if (authorization === 'Bearer now') return false;
      else refuse(response, 401, 'UNAUTHORIZED', '', { 'www-authenticate': challenge });
      return true;
    };
    assert.equal(await room.images.login(registry.host, { username: 'ada', password: 'secret' }, never), 'later');
    assert.equal(await room.images.login(registry.host, { username: 'ada', password: 'other' }, never), undefined);
  });

  test('a login is checked with the registry', async () => {
    await using registry = await ScriptedRegistry.open();
    await using room = await ImageRoom.open();
    registry.intercept = ({ authorization }, response) => {
      if (authorization === basic) return false;
      refuse(response, 401, 'UNAUTHORIZED', 'authentication required', { 'www-authenticate': 'Basic realm="r"' });
      return true;
    };
    await room.images.login(`http://${registry.host}/v1/`, { username: 'ada', password: 'secret' }, never);
    await assert.rejects(room.images.login(registry.host, { username: 'ada', password: 'x' }, never), {
      reason: 'Unauthorized',
      message: /^login attempt to 127.0.0.1:\d+ failed: unauthorized/,
    });
  });
});
