import assert from 'node:assert/strict';
import { createReadStream } from 'node:fs';
import { copyFile, mkdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';

import type { Image } from '#engine/images/images.ts';
import { mediaTypes } from '#formats/oci.ts';
import type { Digest } from '#formats/oci.ts';
import { parseReference } from '#formats/reference.ts';

import { busyboxTar } from '../../kit/busybox-image.ts';
import { commandOutput } from '../../kit/command.ts';
import { progressLines } from '../../kit/image-room.ts';
import type { ImageRoom } from '../../kit/image-room.ts';
import { startRegistry } from '../../kit/registry.ts';
import type { Registry } from '../../kit/registry.ts';
import { tempFolder } from '../../kit/temp-root.ts';
import { toolPath } from '../../kit/tools.ts';
import { openRealRoom } from './real-room.ts';

const never = new AbortController().signal;
const quiet = (): void => {};
/** User `ada`, password `secret` (bcrypt, cost 4). */
const htpasswd = 'ada:$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW\n';

describe("Debian's registry", () => {
  test('what is pushed is what another client sees, and what it pushes comes back', async (t) => {
    const registry = await startRegistry(t);
    const folder = tempFolder(t);
    await using room = await openRealRoom();
    const image = await importBusybox(room, `${registry.address}/team/busybox:1`);
    const { digest } = await room.images.push(parseReference(image.tags[0] ?? ''), {}, quiet, never);
    const seen = JSON.parse(
      await skopeo('inspect', '--tls-verify=false', `docker://${registry.address}/team/busybox:1`),
    );
    assert.equal((seen as { Digest: string }).Digest, digest);
    assert.deepEqual((seen as { Env: string[] }).Env, ['PATH=/bin']);

    for (const [format, compression] of [
      ['v2s2', 'gzip'],
      ['oci', 'gzip'],
      ['oci', 'zstd'],
    ]) {
      const copy = `${registry.address}/${format}-${compression}:1`;
      const options = ['--src-tls-verify=false', '--dest-tls-verify=false', `--format=${format}`];
      // Through a folder, since a copy within a registry is not compressed anew.
      const between = `dir:${join(folder, `${format}-${compression}`)}`;
      await skopeo(
        'copy',
        '--src-tls-verify=false',
        '--dest-decompress',
        `docker://${registry.address}/team/busybox:1`,
        between,
      );
      await skopeo('copy', ...options, `--dest-compress-format=${compression}`, between, `docker://${copy}`);
      await using other = await openRealRoom();
      const pulled = await other.images.pull(parseReference(copy), {}, quiet, never);
      assert.deepEqual(pulled.config.rootfs, image.config.rootfs);
      const again = parseReference(`${registry.address}/mounted/${format}-${compression}:2`);
      await other.images.tag(copy, again);
      const { lines, onProgress } = progressLines();
      const pushed = await other.images.push(again, {}, onProgress, never);
      assert.deepEqual(pulled.repoDigests, [`${registry.address}/${format}-${compression}@${pushed.digest}`]);
      assert.ok(lines.some((line) => line.endsWith(`: Mounted from ${format}-${compression}`)));
    }
  });

  test('what is not there, needs a login, or came to harm on its disk, is said', async (t) => {
    const registry = await startRegistry(t, { htpasswd });
    await using room = await openRealRoom();
    const name = `${registry.address}/busybox:1`;
    const reference = parseReference(name);
    await importBusybox(room, name);
    const auth = { username: 'ada', password: 'secret' };
    await room.images.login(registry.address, auth, never);
    for (const wrong of [{}, { username: 'ada', password: 'guess' }]) {
      await assert.rejects(room.images.login(registry.address, wrong, never), { reason: 'Unauthorized' });
      await assert.rejects(room.images.push(reference, { auth: wrong }, quiet, never), { reason: 'Unauthorized' });
    }
    const { digest } = await room.images.push(reference, { auth }, quiet, never);
    await room.images.remove(name, { force: false, prune: true }, never);
    await assert.rejects(room.images.pull(reference, {}, quiet, never), {
      reason: 'NotFound',
      message: new RegExp(`^pull access denied for ${registry.address}/busybox, repository does not exist`),
    });
    await assert.rejects(room.images.pull(parseReference(`${registry.address}/busybox:no`), { auth }, quiet, never), {
      reason: 'NotFound',
      message: new RegExp(`^manifest for ${registry.address}/busybox:no not found: manifest unknown`),
    });
    const manifest = await readFile(blobPath(registry, digest), 'utf8');
    const [layer] = (JSON.parse(manifest) as { layers: { digest: Digest; mediaType: string }[] }).layers;
    assert.equal(layer?.mediaType, mediaTypes.dockerLayerGzip);
    await truncate(blobPath(registry, layer.digest), 100_000);
    await assert.rejects(room.images.pull(reference, { auth }, quiet, never), {
      reason: 'Damaged',
      message: new RegExp(`filesystem layer verification failed for digest ${layer.digest}`),
    });
    assert.deepEqual(room.images.list(), []);
    assert.deepEqual(room.layers.layers(), []);
    assert.deepEqual(await room.leftovers(), []);
  });

  test('TLS of a stranger is refused, unless the registry is declared insecure or on loopback', async (t) => {
    const folder = tempFolder(t);
    const tls = { certificatePath: join(folder, 'certificate.pem'), keyPath: join(folder, 'key.pem') };
    const subject = ['-subj', '/CN=stranger', '-days', '2', '-keyout', tls.keyPath, '-out', tls.certificatePath];
    await commandOutput(toolPath('openssl'), ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', ...subject]);
    const registry = await startRegistry(t, { tls });
    // Reaches this machine, but is no address of loopback.
    const outside = registry.address.replace('127.0.0.1', '0.0.0.0');
    await using room = await openRealRoom();
    await importBusybox(room, `${outside}/busybox:1`);
    await room.images.tag(`${outside}/busybox:1`, parseReference(`${registry.address}/busybox:1`));
    await assert.rejects(room.images.push(parseReference(`${outside}/busybox:1`), {}, quiet, never), {
      reason: 'Unavailable',
      message: /self-signed certificate/,
    });
    await room.images.push(parseReference(`${registry.address}/busybox:1`), {}, quiet, never);
    await using trusting = await openRealRoom({ insecureRegistries: [outside] });
    await trusting.images.pull(parseReference(`${outside}/busybox:1`), {}, quiet, never);
  });
});

test('a folder of certificates says whom to trust and what to show', async (t) => {
  const folder = tempFolder(t);
  const tls = { certificatePath: join(folder, 'server.pem'), keyPath: join(folder, 'server.key') };
  await makeCertificate(tls.certificatePath, tls.keyPath, ['-addext', 'subjectAltName=IP:0.0.0.0']);
  const certificatesPath = join(folder, 'certs.d');
  const client = { certificate: join(folder, 'client.cert'), key: join(folder, 'client.key') };
  await makeCertificate(client.certificate, client.key, []);
  const registry = await startRegistry(t, { tls: { ...tls, clientAuthoritiesPath: client.certificate } });
  const outside = registry.address.replace('127.0.0.1', '0.0.0.0');
  const own = join(certificatesPath, outside);
  await mkdir(own, { recursive: true });
  await using room = await openRealRoom({ certificatesPath });
  await importBusybox(room, `${outside}/busybox:1`);
  const push = () => room.images.push(parseReference(`${outside}/busybox:1`), {}, quiet, never);
  await assert.rejects(push(), { reason: 'Unavailable', message: /self-signed certificate/ });
  await copyFile(tls.certificatePath, join(own, 'ca.crt'));
  await assert.rejects(push(), { reason: 'Unavailable' }, 'nothing is shown yet');
  await copyFile(client.certificate, join(own, 'client.cert'));
  await assert.rejects(push(), { reason: 'InvalidArgument', message: /its key client.key is missing/ });
  await copyFile(client.key, join(own, 'client.key'));
  await push();
});

describe('archives of another client', () => {
  test('what is saved is read as both kinds, and both kinds that it writes load', async (t) => {
    const folder = tempFolder(t);
    await using room = await openRealRoom();
    const image = await importBusybox(room, 'busybox:1');
    const saved = join(folder, 'saved.tar');
    await writeFile(saved, room.images.save(['busybox:1'], {}, never));
    for (const kind of ['docker-archive', 'oci-archive']) {
      const copied = join(folder, `${kind}.tar`);
      const name = kind === 'docker-archive' ? `docker.io/library/copied:1` : 'copied:1';
      await skopeo('copy', `${kind}:${saved}`, `${kind}:${copied}:${name}`);
      const config = await skopeo('inspect', '--config', '--raw', `${kind}:${copied}`);
      assert.equal(JSON.parse(config).created, image.config.created);
      await using other = await openRealRoom();
      assert.deepEqual(await other.images.load(createReadStream(copied), {}, quiet, never), ['copied:1']);
      assert.deepEqual(other.images.get('copied:1').config.rootfs, image.config.rootfs);
      assert.deepEqual(await other.leftovers(), []);
    }
  });
});

async function importBusybox(room: ImageRoom, name: string): Promise<Image> {
  const config = { Env: ['PATH=/bin'], Cmd: ['sh'] };
  return await room.images.import(busyboxTar(), { tag: parseReference(name), config }, never);
}

async function makeCertificate(certificate: string, key: string, more: readonly string[]): Promise<void> {
  const subject = ['-subj', '/CN=test', '-days', '2', '-keyout', key, '-out', certificate];
  await commandOutput(toolPath('openssl'), [
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    ...subject,
    ...more,
  ]);
}

async function skopeo(...args: readonly string[]): Promise<string> {
  return await commandOutput(toolPath('skopeo'), ['--insecure-policy', ...args]);
}

function blobPath({ storePath }: Registry, digest: Digest): string {
  const hex = digest.slice('sha256:'.length);
  return join(storePath, 'docker/registry/v2/blobs/sha256', hex.slice(0, 2), hex, 'data');
}
