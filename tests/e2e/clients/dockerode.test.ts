import assert from 'node:assert/strict';
import { PassThrough, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { after, before, test } from 'node:test';

import Docker from 'dockerode';

import { tarEntry, writeTar } from '#formats/tar/write-tar.ts';

import { commandOutput } from '../../kit/command.ts';
import { eventually } from '../../kit/eventually.ts';
import type { Instance } from '../../kit/instance.ts';
import { openInstance } from '../../kit/open-instance.ts';
import { startRegistry } from '../../kit/registry.ts';

let instance: Instance;
let docker: Docker;

before(async () => {
  instance = await openInstance();
  docker = new Docker({ socketPath: instance.paths.dockerSocket });
});
after(async () => instance?.destroy());

/** Both streams of a container or an exec, taken apart by the client. */
async function demux(stream: NodeJS.ReadableStream): Promise<readonly [string, string]> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  docker.modem.demuxStream(stream, stdout, stderr);
  stream.once('end', () => [stdout, stderr].forEach((one) => one.end()));
  return await Promise.all([text(stdout), text(stderr)]);
}

/** The messages of a pull, push or build. */
async function progress(stream: NodeJS.ReadableStream): Promise<readonly Record<string, unknown>[]> {
  return await new Promise((resolve, reject) => {
    docker.modem.followProgress(stream, (error, messages) => (error === null ? resolve(messages) : reject(error)));
  });
}

test('a container runs, and its output comes apart', async () => {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const seen = Promise.all([text(stdout), text(stderr)]);
  const [result, container] = (await docker.run(
    'busybox',
    ['sh', '-c', 'echo out; echo err >&2; exit 3'],
    [stdout, stderr],
    { Tty: false },
  )) as [{ StatusCode: number }, Docker.Container];
  // dockerode ends them when the last output has come, which may be after the status.
  assert.equal(result.StatusCode, 3);
  assert.deepEqual(await seen, ['out\n', 'err\n']);
  const logs = await container.logs({ stdout: true, stderr: false, timestamps: true });
  assert.match(logs.toString(), /\d{4}-\d\d-\d\dT\S+Z out\n/);
  assert.equal((await container.inspect()).State.ExitCode, 3);
  await container.remove();
});

test('exec, with streams and without, in a container with a network and a volume', async () => {
  const network = await docker.createNetwork({
    Name: 'deck',
    IPAM: { Driver: 'default', Config: [{ Subnet: '10.99.7.0/24' }] },
  });
  const volume = await docker.createVolume({ Name: 'hold' });
  const container = await docker.createContainer({
    Image: 'busybox',
    name: 'sailor',
    Cmd: ['sleep', '3600'],
    HostConfig: {
      Binds: ['hold:/hold'],
      NetworkMode: 'deck',
      PortBindings: { '80/tcp': [{ HostIp: '127.0.0.1', HostPort: '' }] },
    },
    ExposedPorts: { '80/tcp': {} },
    NetworkingConfig: { EndpointsConfig: { deck: { IPAMConfig: { IPv4Address: '10.99.7.9' } } } },
  });
  await container.start();
  const info = await container.inspect();
  assert.equal(info.NetworkSettings.Networks['deck']?.IPAddress, '10.99.7.9');
  assert.match(info.NetworkSettings.Ports['80/tcp']?.[0]?.HostPort ?? '', /^\d+$/);

  const exec = await container.exec({
    Cmd: ['sh', '-c', 'cat; echo err >&2; exit 4'],
    AttachStdin: true,
    AttachStdout: true,
    AttachStderr: true,
  });
  const stream = await exec.start({ hijack: true, stdin: true });
  const seen = demux(stream);
  stream.end('typed');
  assert.deepEqual(await seen, ['typed', 'err\n']);
  assert.equal((await exec.inspect()).ExitCode, 4);

  await container.putArchive(await archiveOf('note', 'text'), { path: '/hold' });
  const back = await commandOutput('tar', ['-xO'], {
    stdin: (await container.getArchive({ path: '/hold/note' })) as AsyncIterable<Uint8Array>,
  });
  assert.equal(back, 'text');
  assert.equal((await container.top()).Processes.length, 1);
  const stats = await container.stats({ stream: false });
  assert.ok(stats.memory_stats.limit > 0);

  await container.pause();
  await container.unpause();
  await container.stop({ t: 0 });
  await container.remove({ v: true });
  await network.remove();
  await volume.remove();
  assert.deepEqual(await docker.listContainers({ all: true, filters: { name: ['sailor'] } }), []);
});

test('a terminal is one stream both ways', async () => {
  const container = await docker.createContainer({ Image: 'busybox', Tty: true, OpenStdin: true, Cmd: ['sh'] });
  const stream = await container.attach({ stream: true, hijack: true, stdin: true, stdout: true, stderr: true });
  let seen = '';
  stream.on('data', (chunk: Buffer) => (seen += chunk.toString()));
  await container.start();
  await container.resize({ h: 40, w: 100 });
  stream.write('echo $((6*7)); exit 7\n');
  assert.equal(((await container.wait()) as { StatusCode: number }).StatusCode, 7);
  await eventually('the answer is there', () => /\r\n42\r\n/.test(seen));
  await container.remove();
});

test('events come while containers live', async () => {
  const events = (await docker.getEvents({ filters: { type: ['container'] } })) as Readable;
  const actions: string[] = [];
  events.on('data', (chunk: Buffer) => {
    for (const line of chunk.toString().split('\n').filter(Boolean))
      actions.push((JSON.parse(line) as { Action: string }).Action);
  });
  const container = await docker.createContainer({ Image: 'busybox', Cmd: ['true'] });
  await container.start();
  await container.wait();
  await container.remove();
  await eventually('all are told', () => actions.includes('destroy'));
  assert.deepEqual(actions, ['create', 'start', 'die', 'destroy']);
  events.destroy();
});

test('an image is built from a tar, pushed, and pulled again with a password', async (t) => {
  // User ada, password secret (bcrypt, cost 4).
  const htpasswd = 'ada:$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW\n';
  const { address } = await startRegistry(t, { htpasswd });
  const tag = `${address}/built:1`;
  const built = await progress(
    await docker.buildImage(await archiveOf('Dockerfile', 'FROM busybox\nARG A\nRUN echo $A > /a\nLABEL made=here\n'), {
      t: tag,
      buildargs: { A: 'b' },
    }),
  );
  assert.ok(built.some((message) => /Successfully tagged/.test(String(message['stream']))));
  const authconfig = { username: 'ada', password: 'secret', serveraddress: address };
  assert.equal(((await docker.checkAuth(authconfig)) as { Status: string }).Status, 'Login Succeeded');
  await progress(await docker.getImage(tag).push({ authconfig }));
  await docker.getImage(tag).remove();
  await assert.rejects(docker.pull(tag), { statusCode: 404 });
  await progress(await docker.pull(tag, { authconfig }));
  const image = await docker.getImage(tag).inspect();
  assert.equal(image.Config.Labels?.['made'], 'here');
  const failed = await progress(
    await docker.buildImage(await archiveOf('Dockerfile', 'FROM busybox\nRUN false\n'), {}),
  );
  assert.match(String(failed.at(-1)?.['error']), /returned a non-zero code: 1/);
});

test('errors have the status and the words of the daemon', async () => {
  await assert.rejects(docker.getContainer('nobody').inspect(), { statusCode: 404, reason: 'no such container' });
  await assert.rejects(docker.getImage('nothing').inspect(), { statusCode: 404 });
  await assert.rejects(docker.createContainer({ Image: 'busybox', name: '/bad name' }), { statusCode: 400 });
});

async function archiveOf(path: string, content: string): Promise<Readable> {
  const body = Buffer.from(content);
  const entry = tarEntry(path, { sizeBytes: body.length });
  return Readable.from([Buffer.concat(await Array.fromAsync(writeTar([{ entry, body }])))]);
}
