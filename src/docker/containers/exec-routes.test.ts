import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { DockerClient, hijacked, readFrames } from '#kit/fake-engine/docker-client.ts';

async function createExec(client: DockerClient, id: string, body: object): Promise<string> {
  const { status, body: answer, text } = await client.call('POST', `/containers/${id}/exec`, body);
  assert.equal(status, 201, text);
  return (answer as { Id: string }).Id;
}

const attached = { AttachStdout: true, AttachStderr: true };

describe('exec', () => {
  test('runs with its JSON body before the stream', async (t) => {
    const client = await DockerClient.start(t);
    const id = await client.run(['wait']);
    const exec = await createExec(client, id, { ...attached, Cmd: ['cat'], AttachStdin: true });
    const answer = hijacked(await client.hijack(`/exec/${exec}/start`, { Detach: false, Tty: false }));
    assert.equal(answer.status, 101);
    answer.socket.end('typed');
    assert.deepEqual(readFrames(await answer.output), [{ type: 1, text: 'typed' }]);
    const { body } = await client.call('GET', `/exec/${exec}/json`);
    const { Running, ExitCode, ContainerID, ProcessConfig } = body as Record<string, unknown>;
    assert.deepEqual([Running, ExitCode, ContainerID], [false, 0, id]);
    const config = { tty: false, entrypoint: 'cat', arguments: [], privileged: false, user: '' };
    assert.deepEqual(ProcessConfig, config);
  });

  test('gives the exit code afterwards', async (t) => {
    const client = await DockerClient.start(t);
    const id = await client.run(['wait']);
    const exec = await createExec(client, id, { ...attached, Cmd: ['code', '7'] });
    assert.equal(((await client.call('GET', `/exec/${exec}/json`)).body as Record<string, unknown>)['ExitCode'], null);
    await hijacked(await client.hijack(`/exec/${exec}/start`, {})).output;
    assert.equal(((await client.call('GET', `/exec/${exec}/json`)).body as Record<string, unknown>)['ExitCode'], 7);
    assert.equal((await client.call('POST', `/exec/${exec}/start`, {})).status, 409);
  });

  test('only what it attached to comes', async (t) => {
    const client = await DockerClient.start(t);
    const id = await client.run(['wait']);
    const exec = await createExec(client, id, { Cmd: ['complain', 'err'], AttachStdout: true });
    assert.equal((await hijacked(await client.hijack(`/exec/${exec}/start`, {})).output).length, 0);
  });

  test('detached answers at once', async (t) => {
    const client = await DockerClient.start(t);
    const id = await client.run(['wait']);
    const exec = await createExec(client, id, { Cmd: ['wait'] });
    const { status, text } = await client.call('POST', `/exec/${exec}/start`, { Detach: true });
    assert.deepEqual([status, text], [200, '']);
    assert.equal(((await client.call('GET', `/exec/${exec}/json`)).body as Record<string, unknown>)['Running'], true);
    assert.equal((await client.call('POST', `/exec/${exec}/start`, { Detach: true })).status, 409);
  });

  test('without an upgrade the output is a plain body', async (t) => {
    const client = await DockerClient.start(t);
    const id = await client.run(['wait']);
    const exec = await createExec(client, id, { ...attached, Cmd: ['say', 'hi'] });
    const answer = await client.open('POST', `/exec/${exec}/start`, { Detach: false });
    const chunks: Buffer[] = [];
    for await (const chunk of answer) chunks.push(chunk as Buffer);
    assert.deepEqual(readFrames(Buffer.concat(chunks)), [{ type: 1, text: 'hi' }]);
  });

  test('a terminal has a size and detach keys', async (t) => {
    const client = await DockerClient.start(t);
    const id = await client.run(['wait']);
    const keys = { DetachKeys: 'ctrl-x' };
    const exec = await createExec(client, id, { ...attached, ...keys, Cmd: ['wait'], Tty: true, AttachStdin: true });
    const answer = hijacked(await client.hijack(`/exec/${exec}/start`, { Tty: true, ConsoleSize: [10, 20] }));
    answer.socket.write('a\u0018');
    assert.equal((await answer.output).length, 0);
    const process = client.engine.containers.execProcess(exec);
    assert.deepEqual(process.size, { rows: 10, columns: 20 });
    assert.equal(Buffer.concat(process.input).toString(), 'a');
    assert.equal((await client.call('POST', `/exec/${exec}/resize?h=30&w=40`)).status, 200);
    assert.deepEqual(process.size, { rows: 30, columns: 40 });
    answer.socket.destroy();
  });

  test('errors come before the upgrade', async (t) => {
    const client = await DockerClient.start(t);
    const id = await client.create(['wait']);
    const stopped = await client.call('POST', `/containers/${id}/exec`, { Cmd: ['x'] });
    assert.deepEqual([stopped.status, stopped.body], [409, { message: `container ${id} is not running` }]);
    const nothing = await client.call('POST', `/containers/${id}/exec`, {});
    assert.deepEqual([nothing.status, nothing.body], [400, { message: 'No exec command specified' }]);
    const unknown = await client.hijack('/exec/nope/start', {});
    assert.equal(unknown.status, 404);
    assert.ok('body' in unknown);
    assert.deepEqual(unknown.body, { message: 'No such exec instance: nope' });
    const wrong = await client.hijack('/exec/nope/start', { Detach: 'yes' });
    assert.equal(wrong.status, 400);
  });
});
