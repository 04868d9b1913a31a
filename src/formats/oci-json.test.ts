import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { StatusError } from '#base/errors.ts';
import { parseImageConfig, parseManifest } from './oci-json.ts';
import { mediaTypes } from './oci.ts';

const digest = `sha256:${'a'.repeat(64)}`;
const config = { mediaType: mediaTypes.dockerConfig, digest, size: 7 };
const layer = { mediaType: mediaTypes.dockerLayerGzip, digest, size: 9 };
const bytesOf = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));

test('images and indexes are told apart and keep what matters', () => {
  const image = parseManifest(bytesOf({ schemaVersion: 2, config, layers: [layer] }), mediaTypes.dockerManifest);
  assert.ok(image.kind === 'manifest');
  assert.deepEqual(image.manifest.layers, [layer]);
  assert.equal(image.mediaType, mediaTypes.dockerManifest);

  const platform = { os: 'linux', architecture: 'arm64', variant: 'v8', 'os.version': '1' };
  const entry = { ...config, mediaType: mediaTypes.ociManifest, platform, annotations: { a: 'b', c: 1 } };
  const index = parseManifest(bytesOf({ schemaVersion: 2, manifests: [entry] }), undefined);
  assert.ok(index.kind === 'index');
  assert.equal(index.mediaType, mediaTypes.ociIndex);
  assert.deepEqual(index.index.manifests[0]?.platform, { os: 'linux', architecture: 'arm64', variant: 'v8' });
  assert.deepEqual(index.index.manifests[0]?.annotations, { a: 'b' });
});

test('what is not a manifest, or could be two things, is refused', () => {
  const rows: readonly (readonly [value: unknown, type: string | undefined, message: RegExp])[] = [
    [[], undefined, /no JSON object/],
    [{ schemaVersion: 3 }, undefined, /schemaVersion/],
    [{ schemaVersion: 2, config, layers: [layer], manifests: [] }, undefined, /not either/],
    [{ schemaVersion: 2 }, undefined, /not either/],
    [
      { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers: [] },
      mediaTypes.dockerManifest,
      /its transport says/,
    ],
    [{ schemaVersion: 2, config, layers: {} }, undefined, /layers is no list/],
    [{ schemaVersion: 2, config, layers: Array.from({ length: 128 }, () => layer) }, undefined, /more than 127/],
    [{ schemaVersion: 2, config, layers: [{ ...layer, size: -1 }] }, undefined, /layers\[0\]\.size/],
    [{ schemaVersion: 2, config, layers: [{ ...layer, digest: 'sha512:aa' }] }, undefined, /layers\[0\]\.digest/],
    [{ schemaVersion: 2, config: 1, layers: [] }, undefined, /config is no object/],
  ];
  for (const [value, type, message] of rows) {
    assert.throws(() => parseManifest(bytesOf(value), type), { reason: 'Damaged', message });
  }
  assert.throws(() => parseManifest(Buffer.from('{'), undefined), { reason: 'Damaged' });
  assert.throws(() => parseManifest(bytesOf({ schemaVersion: 1 }), undefined), { reason: 'NotSupported' });
});

test('configurations with wrong shapes are refused, unknown fields are kept', () => {
  const good = { os: 'linux', architecture: 'amd64', rootfs: { type: 'layers', diff_ids: [digest] }, extra: [1] };
  assert.deepEqual(parseImageConfig(bytesOf(good)), good);
  const layerless = parseImageConfig(bytesOf({ ...good, rootfs: { type: 'layers' } }));
  assert.deepEqual(layerless.rootfs, { type: 'layers', diff_ids: [] });
  const rows: readonly (readonly [change: object, message: RegExp])[] = [
    [{ rootfs: null }, /rootfs is missing/],
    [{ rootfs: { diff_ids: 'x' } }, /diff_ids is no list/],
    [{ rootfs: { diff_ids: ['x'] } }, /not all sha256/],
    [{ os: 1 }, /os is no string/],
    [{ config: { Env: 'A=b' } }, /config\.Env/],
    [{ config: { Labels: { a: 1 } } }, /config\.Labels/],
    [{ config: [] }, /config is no object/],
    [{ history: [1] }, /history/],
  ];
  for (const [change, message] of rows) {
    assert.throws(() => parseImageConfig(bytesOf({ ...good, ...change })), { reason: 'Damaged', message });
  }
});

test('any JSON is read or refused as StatusError', () => {
  fc.assert(
    fc.property(
      fc.record({
        schemaVersion: fc.constantFrom(1, 2, '2'),
        layers: fc.option(fc.jsonValue(), { nil: undefined }),
        manifests: fc.option(fc.jsonValue(), { nil: undefined }),
        config: fc.jsonValue(),
        rootfs: fc.jsonValue(),
      }),
      (value) => {
        for (const parse of [() => parseManifest(bytesOf(value), undefined), () => parseImageConfig(bytesOf(value))]) {
          try {
            parse();
          } catch (error) {
            assert.ok(error instanceof StatusError);
          }
        }
      },
    ),
    { numRuns: 200 },
  );
});
