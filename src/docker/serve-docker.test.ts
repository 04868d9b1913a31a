import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';

import { silentLogger } from '#base/logger.ts';
import { DockerClient, hijacked } from '#kit/fake-engine/docker-client.ts';
import { FakeEngine } from '#kit/fake-engine/fake-engine.ts';
import { serveDocker } from './serve-docker.ts';

const never = new AbortController().signal;

async function folderOf(t: { after(work: () => Promise<void>): void }): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-serve-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

function optionsIn(folder: string, socketPath: string): Parameters<typeof serveDocker>[0] {
  return {
    engine: new FakeEngine(folder).asEngine(),
    socketPath,
    logger: silentLogger,
    versionInfo: { version: '1.2.3' },
  };
}

describe('the door', () => {
  test('answers with and without a version, and says who it is', async (t) => {
    const client = await DockerClient.start(t);
    for (const path of ['/_ping', '/v1.24/_ping', '/v1.54/_ping']) {
      const { status, headers, text } = await client.call('GET', path);
      assert.deepEqual([status, text], [200, 'OK'], path);
      assert.equal(headers['api-version'], '1.54');
      assert.equal(headers['docker-experimental'], 'false');
      assert.equal(headers['ostype'], 'linux');
      assert.equal(headers['builder-version'], '1');
      assert.equal(headers['server'], 'Slipway/1.2.3 (linux)');
    }
    const head = await client.call('HEAD', '/_ping');
    assert.deepEqual([head.status, head.text, head.headers['api-version']], [200, '', '1.54']);
  });

  test('refuses versions that it does not speak, in words that clients know', async (t) => {
    const client = await DockerClient.start(t);
    const tooNew = await client.call('GET', '/v1.99/info');
    assert.equal(tooNew.status, 400);
    const newWords = 'client version 1.99 is too new. Maximum supported API version is 1.54';
    assert.deepEqual(tooNew.body, { message: newWords });
    const tooOld = await client.call('GET', '/v1.12/info');
    assert.match(tooOld.text, /client version 1\.12 is too old\. Minimum supported API version is 1\.24/);
  });

  test('says "page not found" for what it does not have', async (t) => {
    const client = await DockerClient.start(t);
    for (const [method, path] of [
      ['GET', '/nonsense'],
      ['POST', '/_ping'],
      ['GET', '/v1.43'],
      ['DELETE', '/v1.43/info'],
      ['POST', '/v1.24/containers/prune'],
    ] as const) {
      const { status, body } = await client.call(method, path);
      assert.deepEqual([status, body], [404, { message: 'page not found' }], `${method} ${path}`);
    }
  });

  test("takes bad escapes, bodies of other types and broken JSON as the client's mistake", async (t) => {
    const client = await DockerClient.start(t);
    const bad = [
      await client.call('GET', '/containers/%zz/json'),
      await client.call('POST', '/networks/create', '{"Name":"x"}', { 'Content-Type': 'text/plain' }),
      await client.call('POST', '/networks/create', '{"Name":', { 'Content-Type': 'application/json' }),
      await client.call('POST', '/networks/create', '{"Name":5}', { 'Content-Type': 'application/json' }),
    ];
    assert.deepEqual(
      bad.map(({ status }) => status),
      [400, 400, 400, 400],
    );
    assert.match(bad[1]?.text ?? '', /unsupported Content-Type header \(text\/plain\): must be 'application\/json'/);
    assert.match(bad[3]?.text ?? '', /Cannot read Name: want a string, have the number 5/);
    const large = `{"Name":"${'x'.repeat(5 * 1024 * 1024)}"}`;
    const refused = await client.call('POST', '/networks/create', large, { 'Content-Type': 'application/json' });
    assert.equal(refused.status, 413);
  });

  test('a defect is a 500 with its message, and the next request works', async (t) => {
    const client = await DockerClient.start(t);
    client.engine.containers.list = () => {
      throw new Error('broken on purpose');
    };
    const broken = await client.call('GET', '/containers/json');
    assert.deepEqual([broken.status, broken.body], [500, { message: 'broken on purpose' }]);
    assert.equal((await client.call('GET', '/_ping')).status, 200);
  });

  test('serves many connections at once', async (t) => {
    const client = await DockerClient.start(t);
    const answers = await Promise.all(Array.from({ length: 200 }, () => client.call('GET', '/version')));
    assert.ok(answers.every(({ status }) => status === 200));
  });
});

describe('the socket', () => {
  test('is for its owner and group, replaced when stale, and gone afterwards', async (t) => {
    const folder = await folderOf(t);
    const path = join(folder, 's');
    const dead = createServer();
    dead.listen(path);
    await once(dead, 'listening');
    // Leaves a socket that nobody listens on: the file would go with an orderly close.
    dead.close();
    await once(dead, 'close');
    {
      await using _ = await serveDocker(optionsIn(folder, path), never);
      assert.equal((await stat(path)).mode & 0o777, 0o660);
      assert.ok((await stat(path)).isSocket());
    }
    await assert.rejects(stat(path), { code: 'ENOENT' });
  });

  test('is not taken away from a daemon that serves it, nor from a file', async (t) => {
    const folder = await folderOf(t);
    const path = join(folder, 's');
    await using _ = await serveDocker(optionsIn(folder, path), never);
    await assert.rejects(serveDocker(optionsIn(folder, path), never), { reason: 'Conflict' });
    const file = join(folder, 'f');
    await writeFile(file, 'precious');
    await assert.rejects(serveDocker(optionsIn(folder, file), never), { reason: 'Conflict' });
    const long = join(folder, 'x'.repeat(120));
    await assert.rejects(serveDocker(optionsIn(folder, long), never), /at most 107 bytes/);
  });

  test('stops when its signal aborts, and ends what waits', async (t) => {
    const folder = await folderOf(t);
    const stopping = new AbortController();
    const options = optionsIn(folder, join(folder, 's'));
    await using _ = await serveDocker(options, stopping.signal);
    const client = new DockerClient(options.engine as unknown as FakeEngine, options.socketPath, t);
    const events = await client.open('GET', '/events');
    const ended = once(events, 'close');
    events.on('error', () => {});
    events.resume();
    stopping.abort();
    await ended;
  });
});

describe('connections', () => {
  test('a client that goes away aborts what is done for it', async (t) => {
    const client = await DockerClient.start(t);
    const aborted = Promise.withResolvers<void>();
    client.engine.images.pull = async (_reference, _options, _onProgress, signal?: AbortSignal) => {
      await new Promise<void>((resolve) => signal?.addEventListener('abort', () => resolve(), { once: true }));
      aborted.resolve();
      throw new Error('aborted');
    };
    const request = httpRequest({
      socketPath: client.socketPath,
      method: 'POST',
      path: '/images/create?fromImage=x:1',
    });
    request.on('error', () => {});
    request.end();
    await once(request, 'socket');
    await once(request, 'finish');
    request.destroy();
    await aborted.promise;
  });

  test('an upload that breaks off is not taken for a whole one', async (t) => {
    const client = await DockerClient.start(t);
    const result = Promise.withResolvers<string>();
    client.engine.images.load = async (tar) => {
      try {
        for await (const _ of tar);
        result.resolve('complete');
      } catch {
        result.resolve('broken off');
      }
      return [];
    };
    const socket = connect(client.socketPath);
    socket.on('error', () => {});
    socket.write('POST /images/load HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\nhalf');
    await once(socket, 'connect');
    socket.end();
    assert.equal(await result.promise, 'broken off');
  });

  test('a slow reader slows the stream down instead of filling memory', async (t) => {
    const client = await DockerClient.start(t);
    let sent = 0;
    client.engine.images.offer('big:latest');
    client.engine.images.save = async function* save() {
      for (; sent < 400; sent += 1) {
        await Promise.resolve();
        yield Buffer.alloc(65_536);
      }
    };
    const answer = await client.open('GET', '/images/get?names=big');
    // Nothing is read yet: what was produced is what fits into buffers, far from all.
    await new Promise((resolve) => setImmediate(resolve));
    assert.ok(sent < 200, `${String(sent)} pieces were produced without a reader`);
    let length = 0;
    for await (const chunk of answer) length += (chunk as Buffer).length;
    assert.equal(length, 400 * 65_536);
  });

  test('an upgrade is only given by endpoints that carry raw bytes', async (t) => {
    const client = await DockerClient.start(t);
    const plain = await client.hijack('/containers/none/attach');
    assert.equal(plain.status, 404);
    assert.ok('text' in plain && plain.text.includes('No such container: none'));
    const other = await client.hijack('/containers/none/start');
    assert.equal(other.status, 404);
  });

  test('a raw connection ends for the client when the process does', async (t) => {
    const client = await DockerClient.start(t);
    const id = await client.create(['cat'], { OpenStdin: true, StdinOnce: true });
    const answer = hijacked(await client.hijack(`/containers/${id}/attach?stream=1&stdin=1&stdout=1`));
    assert.equal(answer.status, 101);
    assert.equal(answer.headers['upgrade'], 'tcp');
    await client.call('POST', `/containers/${id}/start`);
    answer.socket.end('hello');
    assert.match((await answer.output).toString('latin1'), /hello$/);
  });
});
