import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { tarEntry, writeTar } from '#formats/tar/write-tar.ts';
import type { TarEntry } from '#formats/tar-entry.ts';
import type { Instance } from '../../kit/instance.ts';
import { openInstance } from '../../kit/open-instance.ts';
import { ScriptedRegistry } from '../../kit/scripted-registry.ts';

import { api } from './api.ts';
import { tracesOf } from './traces.ts';

let instance: Instance;

before(async () => {
  instance = await openInstance();
});
after(() => instance.destroy());

/** Runs docker, which must fail, say all of `words`, and leave nothing behind. */
async function refused(words: readonly RegExp[], ...args: readonly string[]): Promise<void> {
  const earlier = await tracesOf(instance);
  const { code, stdout, stderr } = await instance.docker(...args);
  assert.notEqual(code, 0, `docker ${args.join(' ')} should fail`);
  for (const word of words) assert.match(stdout + stderr, word);
  assert.deepEqual(await tracesOf(instance), earlier);
}

function context(name: string, files: Readonly<Record<string, string>>): string {
  const folder = join(instance.root, 'contexts', name);
  mkdirSync(folder, { recursive: true });
  for (const [path, text] of Object.entries(files)) writeFileSync(join(folder, path), text);
  return folder;
}

test('a wrong Dockerfile is refused with file, line and excerpt', async () => {
  const unknown = context('unknown', { Dockerfile: 'FROM busybox\nRUN true\nCOPPY a b\n' });
  await refused([/Dockerfile:3/, /COPPY a b/, /unknown instruction: COPPY/, /COPY/], 'build', unknown);
  const empty = context('empty', { Dockerfile: '# nothing\n' });
  await refused([/no (build stage|instructions)/i], 'build', empty);
  const missing = context('missing', { 'not-a-dockerfile': '' });
  await refused([/Dockerfile/], 'build', missing);
  const source = context('source', { Dockerfile: 'FROM busybox\nCOPY nope /\n' });
  await refused([/Dockerfile:2/, /nope/, /not found/], 'build', source);
  const failing = context('failing', { Dockerfile: 'FROM busybox\nRUN echo said >&2; exit 7\n' });
  await refused([/said/, /Dockerfile:2/, /non-zero code: 7/], 'build', failing);
});

test('a missing base image names the line, and what the registry said', async () => {
  await using registry = await openRegistry();
  const folder = context('base', { Dockerfile: `FROM ${registry.host}/no/such:1\n` });
  await refused([/Dockerfile:1/, /no\/such/, /not found|manifest unknown/], 'build', folder);
  await refused([/no\/such:1/, /not found/], 'run', `${registry.host}/no/such:1`);
  const { status } = await api(instance, 'POST', '/containers/create', { Image: 'no-such-image' });
  assert.equal(status, 404);
});

test('layers with a wrong digest, cut short, or of a broken archive leave no image', async () => {
  await using registry = await openRegistry();
  const good = await bytesOf([file('hello')]);
  const served = registry.putImage('apps/wrong', '1', [good]);
  const [layer] = served.layerDigests;
  assert.ok(layer !== undefined);
  const bytes = registry.blobs.get(layer) ?? Buffer.alloc(0);
  registry.blobs.set(layer, Buffer.concat([bytes.subarray(0, -1), Buffer.from([0xff])]));
  await refused([/digest|verif/i, new RegExp(layer.slice(7, 19))], 'pull', `${registry.host}/apps/wrong:1`);
  registry.blobs.set(layer, bytes.subarray(0, bytes.length >> 1));
  await refused([new RegExp(layer.slice(7, 19))], 'pull', `${registry.host}/apps/wrong:1`);
  registry.putImage('apps/broken', '1', [Buffer.concat([good.subarray(0, 700), Buffer.alloc(512, 7)])]);
  await refused([/tar|archive|header|layer/i], 'pull', `${registry.host}/apps/broken:1`);
});

test('archives that would leave their root are refused by pull, load and import', async () => {
  await using registry = await openRegistry();
  const escapes: readonly (readonly TarEntry[])[] = [
    [file('../outside')],
    [link('way', '/'), file('way/etc/outside')],
    [link('way', '../../../../..'), file('way/outside')],
    [{ ...file('hard'), type: 'hardlink', sizeBytes: 0, linkTarget: '../../../../etc/passwd' }],
  ];
  for (const [index, entries] of escapes.entries()) {
    const tar = await bytesOf(entries);
    const name = `apps/escape${String(index)}`;
    registry.putImage(name, '1', [tar]);
    const { code } = await instance.docker('pull', `${registry.host}/${name}:1`);
    // Links that stay inside when resolved within the root are fine; what matters is that nothing is outside.
    if (code === 0) await instance.dockerOutput('rmi', `${registry.host}/${name}:1`);
    for (const path of ['/outside', '/etc/outside', '/tmp/outside']) assert.equal(existsSync(path), false, path);
  }
  await refused([/outside|escape|\.\./], 'pull', `${registry.host}/apps/escape0:1`);
  await refused([/passwd|escape|\.\.|hard/], 'pull', `${registry.host}/apps/escape3:1`);
});

test('a port that is taken is named, with who asked for it', async () => {
  await using taken = await listen();
  const port = String(taken.port);
  const { code, stderr } = await instance.docker(
    'run',
    '-d',
    '--name',
    'ported',
    '-p',
    `${port}:80`,
    'busybox',
    'true',
  );
  assert.equal(code, 125);
  assert.match(stderr, new RegExp(`${port}.*address already in use`));
  const started = await api(instance, 'POST', '/containers/ported/start');
  assert.equal(started.status, 500);
  assert.equal(
    await instance.dockerOutput('inspect', '-f', '{{.State.Status}} {{.State.Running}}', 'ported'),
    'created false',
  );
  await instance.dockerOutput('rm', 'ported');
});

test('subnets that overlap, names that are taken and addresses outside their subnet are refused', async () => {
  await instance.dockerOutput('network', 'create', '--subnet', '10.231.0.0/16', 'first');
  await instance.dockerOutput('create', '--name', 'named', 'busybox');
  await refused([/[Pp]ool overlaps/], 'network', 'create', '--subnet', '10.231.7.0/24', 'second');
  await refused([/first already exists/], 'network', 'create', 'first');
  await refused([/"\/?named" is already in use/], 'create', '--name', 'named', 'busybox');
  await refused([/10\.9\.9\.9/], 'run', '--network', 'first', '--ip', '10.9.9.9', 'busybox');
  const statuses = [
    await api(instance, 'POST', '/networks/create', {
      Name: 'second',
      IPAM: { Config: [{ Subnet: '10.231.7.0/24' }] },
    }),
    await api(instance, 'POST', '/networks/create', { Name: 'first' }),
    await api(instance, 'POST', '/containers/create?name=named', { Image: 'busybox' }),
    await api(instance, 'POST', '/containers/create?name=no/slash', { Image: 'busybox' }),
    await api(instance, 'POST', '/containers/create', { Image: 7 }),
  ].map(({ status }) => status);
  assert.deepEqual(statuses, [403, 409, 409, 400, 400]);
  await instance.dockerOutput('rm', 'named');
  await instance.dockerOutput('network', 'rm', 'first');
});

test('a context that cannot be read is refused before anything is built', async () => {
  const folder = context('unreadable', { Dockerfile: 'FROM busybox\nCOPY . /\n', secret: 'x' });
  chmodSync(join(folder, 'secret'), 0o000);
  await refused([/not found|no such|unable/i], 'build', join(folder, 'nowhere'));
  const earlier = await tracesOf(instance);
  const answer = await api(instance, 'POST', '/build?dockerfile=Dockerfile', { no: 'tar' });
  assert.ok(answer.status === 400 || /"error"/.test(answer.body), answer.body);
  assert.deepEqual(await tracesOf(instance), earlier);
});

test('a registry that answers 500 is given up with its name; one that hangs can be left', async () => {
  await using registry = await openRegistry();
  registry.intercept = (_, response) => {
    response.writeHead(500).end('broken');
    return true;
  };
  await refused([new RegExp(registry.host), /500/], 'pull', `${registry.host}/apps/any:1`);
  registry.intercept = () => true;
  const earlier = await tracesOf(instance);
  const seenBefore = registry.seen.length;
  const hanging = instance
    .dockerWith({ timeoutMs: hangMs }, 'pull', `${registry.host}/apps/any:1`)
    .catch(() => undefined);
  await hanging;
  assert.ok(registry.seen.length > seenBefore);
  assert.deepEqual(await tracesOf(instance), earlier);
});

/** How long the client waits for a registry that never answers before it is killed. */
const hangMs = 2_000;

function openRegistry(): Promise<ScriptedRegistry> {
  return ScriptedRegistry.open();
}

function file(path: string): TarEntry {
  return tarEntry(path, { mode: 0o644 });
}

function link(path: string, linkTarget: string): TarEntry {
  return tarEntry(path, { type: 'symlink', linkTarget });
}

async function bytesOf(entries: readonly TarEntry[]): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(writeTar(entries.map((entry) => ({ entry })))));
}

async function listen(): Promise<AsyncDisposable & { readonly port: number }> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: async () => {
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
