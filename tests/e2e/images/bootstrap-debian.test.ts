import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { describe, test } from 'node:test';

import { bootstrapDebian } from '#engine/images/bootstrap-debian.ts';
import { parseDeb822Sources } from '#formats/apt-sources.ts';
import { parseReference } from '#formats/reference.ts';
import { readTar } from '#formats/tar/read-tar.ts';

import { eventually } from '../../kit/eventually.ts';
import { collect } from '../../kit/image-room.ts';
import type { ImageRoom } from '../../kit/image-room.ts';
import { openRealRoom } from './real-room.ts';

const never = new AbortController().signal;
const quiet = (): void => {};
const suite = 'bookworm';
const reference = parseReference('debian:12');

describe('bootstrap', () => {
  test("Debian's base image is small, clean, and knows where its updates are", async () => {
    await using room = await openRealRoom();
    const said: string[] = [];
    const onProgress = (line: string): void => void said.push(line);
    const image = await bootstrapDebian({ images: room.images, suite, reference, onProgress }, never);
    assert.deepEqual(room.images.get('debian:12').id, image.id);
    assert.deepEqual(image.config.config?.Cmd, ['bash']);
    assert.ok(image.sizeBytes < 120_000_000, `${String(image.sizeBytes)} bytes`);
    assert.ok(said.some((line) => line.startsWith('Retrieving ')) && said.includes('Packing the image'));

    const kept = new Set<string>();
    const texts = new Map<string, string>();
    for await (const { entry, body } of readTar(room.layers.pack(image.topLayer ?? assert.fail(), never))) {
      kept.add(entry.path);
      if (entry.path.startsWith('etc/')) texts.set(entry.path, (await collect(body)).toString());
    }
    for (const path of ['usr/bin/bash', 'usr/bin/apt-get', 'var/lib/dpkg/status', 'var/lib/apt/lists/', 'tmp/']) {
      assert.ok(kept.has(path), path);
    }
    const unwanted =
      /^(dev|proc|sys)\/.|^var\/lib\/apt\/lists\/.+[^/]$|\.deb$|^etc\/(resolv\.conf|hostname)$|policy-rc/;
    assert.deepEqual(
      [...kept].filter((path) => unwanted.test(path)),
      [],
    );
    assert.equal(texts.get('etc/machine-id') ?? '', '');
    const sources = parseDeb822Sources(texts.get('etc/apt/sources.list.d/debian.sources') ?? '');
    assert.deepEqual(
      sources.flatMap(({ suites }) => suites),
      [suite, `${suite}-updates`, `${suite}-security`],
    );
    await assertNothingLeft(room);
  });

  test('a mirror that is not there is named, and nothing is left', async () => {
    await using room = await openRealRoom();
    const mirror = 'http://127.0.0.1:1/debian';
    await assert.rejects(bootstrapDebian({ images: room.images, suite, reference, mirror, onProgress: quiet }, never), {
      reason: 'Unavailable',
      message: /^Cannot run .*debootstrap: .*127\.0\.0\.1:1\/debian/,
    });
    await assertNothingLeft(room);
  });

  test('an abort in the middle leaves no file, no mount and no process', async () => {
    await using room = await openRealRoom();
    const client = new AbortController();
    const onProgress = (line: string): void => {
      if (line.startsWith('Validating ')) client.abort(new Error('the client left'));
    };
    await assert.rejects(bootstrapDebian({ images: room.images, suite, reference, onProgress }, client.signal), {
      message: 'the client left',
    });
    await assertNothingLeft(room);
  });
});

async function assertNothingLeft(room: ImageRoom): Promise<void> {
  assert.deepEqual(await readdir(room.images.scratchDir), []);
  assert.deepEqual(await room.leftovers(), []);
  assert.equal(readFileSync('/proc/self/mountinfo', 'utf8').includes(room.dataDir), false);
  await eventually('no process is left', () => commandLines().every((line) => !line.includes(room.dataDir)));
}

function commandLines(): readonly string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      } catch {
        return '';
      }
    });
}
