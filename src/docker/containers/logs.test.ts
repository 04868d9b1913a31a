import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, test } from 'node:test';

import { DockerClient, readFrames } from '#kit/fake-engine/docker-client.ts';

async function read(client: DockerClient, path: string): Promise<Buffer> {
  const answer = await client.open('GET', path);
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

describe('logs', () => {
  test('are framed by stream', async (t) => {
    const client = await DockerClient.start(t);
    const id = await client.run(['wait']);
    const process = client.engine.containers.processOf(id);
    process.write('stdout', 'one\n');
    process.write('stderr', 'two\n');
    const both = readFrames(await read(client, `/containers/${id}/logs?stdout=1&stderr=1`));
    assert.deepEqual(both, [
      { type: 1, text: 'one\n' },
      { type: 2, text: 'two\n' },
    ]);
    const last = readFrames(await read(client, `/containers/${id}/logs?stderr=1&tail=1`));
    assert.deepEqual(last, [{ type: 2, text: 'two\n' }]);
  });

  test('carry times before lines, not before parts of lines', async (t) => {
    const client = await DockerClient.start(t);
    const id = await client.run(['wait'], { Tty: true });
    const process = client.engine.containers.processOf(id);
    for (const part of ['begin ', 'end\n', 'next\n']) process.write('stdout', part);
    const text = (await read(client, `/containers/${id}/logs?stdout=1&timestamps=1`)).toString();
    const time = '2023-11-14T22:13:20.000000001Z';
    assert.equal(text, `${time} begin end\n${time} next\n`);
    const details = (await read(client, `/containers/${id}/logs?stdout=1&details=1`)).toString();
    assert.equal(details, ' begin end\n next\n');
  });

  test('follow what comes, from the moment of the head', async (t) => {
    const client = await DockerClient.start(t);
    const id = await client.run(['wait'], { Tty: true });
    const answer = await client.open('GET', `/containers/${id}/logs?stdout=1&follow=1`);
    assert.equal(answer.statusCode, 200);
    const process = client.engine.containers.processOf(id);
    const first = once(answer, 'data') as Promise<[Buffer]>;
    process.write('stdout', 'fresh');
    assert.equal((await first)[0].toString(), 'fresh');
    process.end(0);
    await once(answer, 'end');
  });

  test('are asked for by time and number', async (t) => {
    const client = await DockerClient.start(t);
    const id = await client.run(['wait']);
    await read(client, `/containers/${id}/logs?stdout=1&tail=all&since=1700000000.5&until=1700000001`);
    await read(client, `/containers/${id}/logs?stdout=1&tail=10&since=0`);
    assert.deepEqual(client.engine.containers.calls, [
      'logs {"stdout":true,"stderr":false,"follow":false,"sinceNs":"1700000000500000000n","untilNs":"1700000001000000000n"}',
      'logs {"stdout":true,"stderr":false,"follow":false,"tail":10}',
    ]);
  });

  const wrong: readonly (readonly [string, number, string])[] = [
    ['web/logs', 400, 'you must choose at least one stream'],
    ['nope/logs?stdout=1', 404, 'No such container: nope'],
    ['web/logs?stdout=1&since=yesterday', 400, 'invalid timestamp'],
    ['silent/logs?stdout=1', 501, 'configured logging driver does not support reading'],
  ];
  test('refuse what makes no sense', async (t) => {
    const client = await DockerClient.start(t);
    await client.create(['wait'], {}, '?name=web');
    await client.create(['wait'], { HostConfig: { LogConfig: { Type: 'none' } } }, '?name=silent');
    for (const [path, status, message] of wrong) {
      const answer = await client.call('GET', `/containers/${path}`);
      assert.equal(answer.status, status, path);
      assert.ok(answer.text.includes(message), answer.text);
    }
  });
});
