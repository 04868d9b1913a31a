import assert from 'node:assert/strict';
import test from 'node:test';

import * as fc from 'fast-check';

import { StatusError } from '#base/errors.ts';

import { textOfBytes } from '../byte-text.ts';
import type { TarEntry } from '../tar-entry.ts';
import { readTar } from './read-tar.ts';
import { tarEntry, writeTar } from './write-tar.ts';

const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 }).map((text) => text.replace(/[\0/]/g, '_'));
const bytes = fc
  .uint8Array({ minLength: 1, maxLength: 30 })
  .map((bytes) => textOfBytes(bytes.map((byte) => (byte === 0 || byte === 47 ? 95 : byte))));
const path = fc.array(fc.oneof(name, bytes), { minLength: 1, maxLength: 6 }).map((names) => names.join('/'));
const target = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 150 }).map((text) => text.replaceAll('\0', '_'));

const entry: fc.Arbitrary<TarEntry> = fc
  .record({
    path,
    type: fc.constantFrom('file', 'directory', 'symlink', 'hardlink', 'character', 'block', 'fifo' as const),
    mode: fc.nat(0o7777),
    uid: fc.nat(2 ** 31),
    gid: fc.nat(2 ** 31),
    sizeBytes: fc.constant(0),
    mtimeNs: fc.oneof(
      fc.nat().map((seconds) => BigInt(seconds) * 1_000_000_000n),
      fc.bigInt(-(2n ** 62n), 2n ** 62n),
    ),
    linkTarget: target,
    deviceMajor: fc.nat(4095),
    deviceMinor: fc.nat(1_048_575),
    xattrs: fc
      .dictionary(fc.constantFrom('security.capability', 'user.ünïcode', 'user.x'), fc.uint8Array({ minLength: 1 }))
      .map((values) => new Map(Object.entries(values).sort(([one], [other]) => (one < other ? -1 : 1)))),
  })
  .map((made) => ({
    ...made,
    path: made.type === 'directory' ? `${made.path}/` : made.path,
    linkTarget: made.type === 'symlink' || made.type === 'hardlink' ? made.linkTarget : '',
    deviceMajor: made.type === 'character' || made.type === 'block' ? made.deviceMajor : 0,
    deviceMinor: made.type === 'character' || made.type === 'block' ? made.deviceMinor : 0,
  }));

const member = fc
  .tuple(entry, fc.uint8Array({ maxLength: 2000 }))
  .map(([made, body]): { entry: TarEntry; body: Uint8Array } =>
    made.type === 'file'
      ? { entry: { ...made, sizeBytes: body.length }, body }
      : { entry: made, body: new Uint8Array() },
  );

test('what is written is read again, in pieces of any size', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(member, { maxLength: 5 }), fc.integer({ min: 1, max: 1500 }), async (members, size) => {
      const bytes = await collect(writeTar(members));
      assert.equal(bytes.length % 512, 0);
      assert.deepEqual(await readAll(bytes, size), members.map(plain));
    }),
    { numRuns: 100 },
  );
});

test('any bytes are read or refused, never anything else', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 3000 }), async (bytes) => refusesOrReads(bytes)),
    { numRuns: 100 },
  );
});

test('an archive with a wrong byte or cut short is read or refused, never anything else', async () => {
  const seed = fc.record({
    members: fc.array(member, { minLength: 1, maxLength: 3 }),
    at: fc.nat(),
    byte: fc.nat(255),
    cut: fc.nat(),
    fix: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(seed, async ({ members, at, byte, cut, fix }) => {
      const bytes = await collect(writeTar(members));
      const changed = bytes.subarray(0, bytes.length - (cut % bytes.length));
      changed[at % changed.length] = byte;
      if (fix) fixChecksum(changed, Math.floor((at % changed.length) / 512) * 512);
      await refusesOrReads(changed);
    }),
    { numRuns: 200 },
  );
});

test('an archive that is cut inside an entry is damaged', async () => {
  const bytes = await collect(
    writeTar([{ entry: tarEntry('file', { sizeBytes: 1000 }), body: new Uint8Array(1000).fill(65) }]),
  );
  for (const length of [1, 511, 512, 513, 1511])
    await assert.rejects(readAll(bytes.subarray(0, length), 512), isDamaged, String(length));
  // Without padding, or without an end: docker's client sends such.
  for (const length of [1512, 1513, 1535, 1536, 2048, 2560])
    assert.equal((await readAll(bytes.subarray(0, length), 512)).length, 1);
});

test('an owner that chown does not take is damaged', async () => {
  for (const uid of [0xffff_fffe, 0xffff_ffff, 2 ** 40]) {
    const bytes = await collect(writeTar([{ entry: tarEntry('file', { uid }) }]));
    if (uid === 0xffff_fffe) assert.equal((await readAll(bytes, 512))[0]?.entry.uid, uid);
    else await assert.rejects(readAll(bytes, 512), isDamaged);
  }
});

test('a body that is not read is skipped, whole or in part', async () => {
  const body = new Uint8Array(5000).fill(66);
  const bytes = await collect(
    writeTar(['a', 'b', 'c'].map((path) => ({ entry: tarEntry(path, { sizeBytes: 5000 }), body }))),
  );
  const seen: string[] = [];
  for await (const { entry, body } of readTar(pieces(bytes, 700))) {
    seen.push(entry.path);
    if (entry.path === 'b') for await (const _ of body) break;
  }
  assert.deepEqual(seen, ['a', 'b', 'c']);
});

test('short names need no PAX records', async () => {
  const long = `${'d'.repeat(150)}/${'f'.repeat(90)}`;
  const bytes = await collect(writeTar([{ entry: tarEntry('etc/passwd') }, { entry: tarEntry(long) }]));
  assert.equal(bytes.length, 4 * 512);
  assert.deepEqual(
    (await readAll(bytes, 512)).map(({ entry }) => entry.path),
    ['etc/passwd', long],
  );
});

async function refusesOrReads(bytes: Uint8Array): Promise<void> {
  try {
    await readAll(bytes, 600);
  } catch (error) {
    assert.ok(error instanceof StatusError, String(error));
  }
}

function isDamaged(error: unknown): boolean {
  return error instanceof StatusError && error.reason === 'Damaged';
}

function fixChecksum(bytes: Uint8Array, start: number): void {
  if (start + 512 > bytes.length) return;
  const block = Buffer.from(bytes.buffer, bytes.byteOffset + start, 512);
  block.fill(0x20, 148, 156);
  block.write(
    `${block
      .reduce((sum, byte) => sum + byte, 0)
      .toString(8)
      .padStart(6, '0')}\0 `,
    148,
  );
}

function plain({ entry, body }: { entry: TarEntry; body: Uint8Array }): unknown {
  return {
    entry: { ...entry, xattrs: [...entry.xattrs].map(([key, value]) => [key, [...value]]) },
    body: Buffer.from(body).toString('hex'),
  };
}

async function readAll(bytes: Uint8Array, size: number): Promise<{ entry: TarEntry; body: string }[]> {
  const found: unknown[] = [];
  for await (const { entry, body } of readTar(pieces(bytes, size)))
    found.push(plain({ entry, body: await collect(limited(body)) }));
  return found as { entry: TarEntry; body: string }[];
}

/** A hostile sparse file may be longer than anybody's memory. */
async function* limited(body: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  let sum = 0;
  for await (const bytes of body) {
    yield bytes;
    sum += bytes.length;
    if (sum > 1_000_000) return;
  }
}

async function* pieces(bytes: Uint8Array, size: number): AsyncIterable<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function collect(source: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const found: Uint8Array[] = [];
  for await (const bytes of source) found.push(bytes);
  return Buffer.concat(found);
}
