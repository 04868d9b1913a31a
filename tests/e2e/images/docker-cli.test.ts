import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';

import { silentLogger } from '#base/logger.ts';
import { serveDocker } from '#docker/serve-docker.ts';

import { busyboxTar } from '../../kit/busybox-image.ts';
import { command } from '../../kit/command.ts';
import type { CommandOptions } from '../../kit/command.ts';
import { FakeEngine } from '../../kit/fake-engine/fake-engine.ts';
import { startRegistry } from '../../kit/registry.ts';
import { tempFolder } from '../../kit/temp-root.ts';
import { toolPath } from '../../kit/tools.ts';
import { openRealRoom } from './real-room.ts';

/** User `ada`, password `secret` (bcrypt, cost 4). */
const htpasswd = 'ada:$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW\n';

test("docker's own client moves images in and out by every way there is", async (t) => {
  const registry = await startRegistry(t, { htpasswd });
  const folder = tempFolder(t);
  const socketPath = join(folder, 'd.sock');
  await using room = await openRealRoom();
  await using fake = new FakeEngine(folder);
  const engine = { ...fake.asEngine(), images: room.images, events: room.events };
  const options = { engine, socketPath, logger: silentLogger, versionInfo: { version: '0' } };
  await using _server = await serveDocker(options, new AbortController().signal);
  const env = { DOCKER_HOST: `unix://${socketPath}`, DOCKER_CONFIG: join(folder, 'config') };
  const docker = async (args: readonly string[], more: CommandOptions = {}): Promise<string> => {
    const { code, stdout, stderr } = await command(toolPath('docker'), args, { ...more, env });
    return code === 0 ? stdout.trim() : `failed: ${stderr.trim()}`;
  };

  const id = await docker(['import', '--change', 'CMD ["sh"]', '-', 'busybox:1'], { stdin: busyboxTar() });
  assert.equal(id, room.images.get('busybox:1').id);
  const archive = join(folder, 'busybox.tar');
  await docker(['tag', 'busybox:1', 'busybox:2']);
  await docker(['save', '-o', archive, 'busybox:1', 'busybox:2']);
  assert.match(
    await docker(['rmi', 'busybox:1', 'busybox:2']),
    /^Untagged: busybox:1\nUntagged: busybox:2\nDeleted: sha256:/,
  );
  assert.equal(await docker(['load', '-i', archive]), 'Loaded image: busybox:1\nLoaded image: busybox:2');
  assert.equal(room.images.get('busybox:2').id, id);

  const name = `${registry.address}/team/busybox:1`;
  await docker(['tag', 'busybox:1', name]);
  assert.match(await docker(['push', name]), /^failed: .*(unauthorized|no basic auth)/is);
  const login = ['login', '-u', 'ada', '--password-stdin', registry.address];
  assert.match(await docker(login, { stdin: 'guess' }), /^failed: .*unauthorized/is);
  assert.match(await docker(login, { stdin: 'secret' }), /Login Succeeded/);
  const pushed = await docker(['push', name]);
  const digest = /1: digest: (sha256:[0-9a-f]{64}) size: \d+$/.exec(pushed)?.[1] ?? assert.fail(pushed);
  assert.equal(pushed.match(/The push refers to repository/g)?.length, 1);
  await docker(['rmi', '-f', id]);
  assert.deepEqual(room.layers.layers(), []);
  const pulled = await docker(['pull', name]);
  for (const line of [
    `1: Pulling from team/busybox`,
    `Digest: ${digest}`,
    `Status: Downloaded newer image for ${name}`,
  ]) {
    assert.equal(pulled.split('\n').filter((one) => one === line).length, 1, `${line}\n${pulled}`);
  }
  assert.match(await docker(['pull', `${registry.address}/team/busybox@${digest}`]), /Image is up to date for/);
  assert.equal(
    await docker(['pull', `${registry.address}/team/busybox:no`]),
    `failed: Error response from daemon: manifest for ${registry.address}/team/busybox:no not found: manifest unknown: manifest unknown`,
  );
  assert.equal(await docker(['images', '-q', '--no-trunc']), id);
  assert.match(await docker(['load'], { stdin: (await readFile(archive)).subarray(0, 5000) }), /^failed: .*archive/is);
  assert.equal(
    await docker(['inspect', '-f', '{{index .RepoDigests 0}}', id]),
    `${registry.address}/team/busybox@${digest}`,
  );
});
