import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, test } from 'node:test';

import { DockerClient, hijacked, readFrames } from '#kit/fake-engine/docker-client.ts';
import { eventually } from '#kit/eventually.ts';

const multiplexed = 'application/vnd.docker.multiplexed-stream';
const raw = 'application/vnd.docker.raw-stream';

describe('attach', () => {
  test('without a terminal frames both streams', async (t) => {
    const client = await DockerClient.start(t);
    const id = await client.create(['wait']);
    const answer = hijacked(await client.hijack(`/containers/${id}/attach?stream=1&stdout=1&stderr=1`));
    assert.equal(answer.headers['content-type'], multiplexed);
    answer.socket.end();
    await client.call('POST', `/containers/${id}/start`);
    const process = client.engine.containers.processOf(id);
    process.write('stdout', 'out');
    process.write('stderr', 'err');
    process.end(0);
    assert.deepEqual(readFrames(await answer.output), [
      { type: 1, text: 'out' },
      { type: 2, text: 'err' },
    ]);
  });

  test('gives only the streams that were asked for', async (t) => {
    const client = await DockerClient.start(t);
    const id = await client.create(['complain', 'err']);
    const answer = hijacked(await client.hijack(`/containers/${id}/attach?stream=1&stdout=1`));
    await client.call('POST', `/containers/${id}/start`);
    assert.equal((await answer.output).length, 0);
  });

  test('with a terminal carries raw bytes, and the detach keys leave it running', async (t) => {
    const client = await DockerClient.start(t);
    const id = await client.create(['wait'], { Tty: true, OpenStdin: true });
    const query = 'stream=1&stdin=1&stdout=1&stderr=1&detachKeys=ctrl-a,x';
    // A body, which some clients send, is no input.
    const answer = hijacked(await client.hijack(`/containers/${id}/attach?${query}`, { stream: true }));
    assert.equal(answer.headers['content-type'], raw);
    await client.call('POST', `/containers/${id}/start`);
    const process = client.engine.containers.processOf(id);
    const events = client.engine.events.subscribe({ sinceNs: 0n, untilNs: 2n ** 62n }, new AbortController().signal);
    process.write('stdout', 'prompt');
    answer.socket.write('ls\u0001');
    answer.socket.write('yq\u0001x');
    assert.equal((await answer.output).toString(), 'prompt');
    assert.equal(Buffer.concat(process.input).toString(), 'ls\u0001yq');
    assert.equal(process.inputEnded, false);
    assert.equal(client.engine.containers.get(id).state.status, 'running');
    const actions: string[] = [];
    for await (const { action } of events) {
      actions.push(action);
      if (action === 'detach') break;
    }
    assert.deepEqual(actions, ['create', 'start', 'detach']);
    answer.socket.destroy();
  });

  test("a client that ends its input closes the process's", async (t) => {
    const client = await DockerClient.start(t);
    const id = await client.create(['cat'], { OpenStdin: true, StdinOnce: true });
    const answer = hijacked(await client.hijack(`/containers/${id}/attach?stream=1&stdin=1&stdout=1`));
    await client.call('POST', `/containers/${id}/start`);
    answer.socket.write('one ');
    answer.socket.end('two');
    const text = readFrames(await answer.output).map((frame) => frame.text);
    assert.equal(text.join(''), 'one two');
  });

  test('replays what was logged', async (t) => {
    const client = await DockerClient.start(t);
    const id = await client.run(['wait']);
    client.engine.containers.processOf(id).write('stdout', 'before ');
    const query = 'stream=1&stdout=1&stderr=1&logs=1';
    const answer = hijacked(await client.hijack(`/containers/${id}/attach?${query}`));
    await eventually('the client is attached', async () => client.engine.containers.processOf(id).clients > 0);
    client.engine.containers.processOf(id).write('stdout', 'after');
    client.engine.containers.processOf(id).end(0);
    const text = readFrames(await answer.output).map((frame) => frame.text);
    assert.equal(text.join(''), 'before after');
  });

  test('a client that goes away leaves nothing behind', async (t) => {
    const client = await DockerClient.start(t);
    const id = await client.run(['wait'], { OpenStdin: true });
    const answer = hijacked(await client.hijack(`/containers/${id}/attach?stream=1&stdin=1&stdout=1`));
    const process = client.engine.containers.processOf(id);
    assert.equal(process.clients, 1);
    answer.output.catch(() => {});
    answer.socket.destroy();
    // A client that is gone shows when something is written to it.
    await eventually('the attachment is closed', async () => {
      process.write('stdout', 'x');
      return process.clients === 0;
    });
  });

  test('without an upgrade the answer is a plain body', async (t) => {
    const client = await DockerClient.start(t);
    const id = await client.create(['say', 'hi']);
    const answer = await client.open('POST', `/containers/${id}/attach?stream=1&stdout=1`);
    assert.equal(answer.statusCode, 200);
    assert.equal(answer.headers['content-type'], multiplexed);
    assert.equal(answer.headers['transfer-encoding'], undefined);
    await client.call('POST', `/containers/${id}/start`);
    const chunks: Buffer[] = [];
    for await (const chunk of answer) chunks.push(chunk as Buffer);
    assert.deepEqual(readFrames(Buffer.concat(chunks)), [{ type: 1, text: 'hi' }]);
  });

  test('old clients are told the old type', async (t) => {
    const client = await DockerClient.start(t);
    const id = await client.create(['say', 'hi']);
    const answer = hijacked(await client.hijack(`/v1.41/containers/${id}/attach?stream=1&stdout=1`));
    assert.equal(answer.headers['content-type'], raw);
    answer.socket.destroy();
    answer.output.catch(() => {});
  });

  const wrong: readonly (readonly [string, number, string])[] = [
    ['nope/attach?stream=1', 404, 'No such container: nope'],
    ['web/attach?stream=1&detachKeys=ctrl-1', 400, 'Invalid detach keys (ctrl-1) provided'],
  ];
  for (const [path, status, message] of wrong) {
    test(`refuses ${path}`, async (t) => {
      const client = await DockerClient.start(t);
      await client.create(['wait'], {}, '?name=web');
      const answer = await client.hijack(`/containers/${path}`);
      assert.equal(answer.status, status);
      assert.ok('text' in answer && answer.text.includes(message));
    });
  }

  test('a paused container is not attached to', async (t) => {
    const client = await DockerClient.start(t);
    const id = await client.run(['wait']);
    await client.call('POST', `/containers/${id}/pause`);
    const answer = await client.hijack(`/containers/${id}/attach?stream=1&stdout=1`);
    assert.equal(answer.status, 409);
    const socket = await client.call('GET', `/containers/${id}/attach/ws`);
    assert.equal(socket.status, 501);
  });

  test('a slow terminal gets everything', async (t) => {
    const client = await DockerClient.start(t);
    const id = await client.create(['flood', '100'], { Tty: true });
    const answer = hijacked(await client.hijack(`/containers/${id}/attach?stream=1&stdout=1`));
    answer.socket.pause();
    await client.call('POST', `/containers/${id}/start`);
    assert.equal((await answer.output).length, 100 * 65_536);
    if (!answer.socket.destroyed) {
      answer.socket.end();
      await once(answer.socket, 'close');
    }
  });
});
