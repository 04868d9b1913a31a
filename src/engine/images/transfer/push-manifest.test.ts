import assert from 'node:assert/strict';
import { test } from 'node:test';

import { mediaTypes } from '#formats/oci.ts';
import type { Manifest } from '#formats/oci.ts';
import { digestOf } from '../store/chain.ts';
import { manifestToPush } from './push-manifest.ts';

const config = { digest: digestOf('config'), size: 6 };
const gzip = { digest: digestOf('gzip'), size: 4, mediaType: mediaTypes.dockerLayerGzip };
const zstd = { digest: digestOf('zstd'), size: 4, mediaType: mediaTypes.ociLayerZstd };

test('gzip layers give a manifest of the kind that every client reads, others one of OCI', () => {
  const parse = (bytes: Uint8Array): Manifest => JSON.parse(Buffer.from(bytes).toString()) as Manifest;
  const docker = manifestToPush(undefined, config, [gzip, { ...gzip, mediaType: mediaTypes.ociLayerGzip }]);
  assert.equal(docker.mediaType, mediaTypes.dockerManifest);
  assert.equal(parse(docker.bytes).config.mediaType, mediaTypes.dockerConfig);
  assert.deepEqual(
    parse(docker.bytes).layers,
    [gzip, gzip].map(({ digest, size, mediaType }) => ({ mediaType, digest, size })),
  );
  const oci = manifestToPush(undefined, config, [gzip, zstd]);
  assert.equal(oci.mediaType, mediaTypes.ociManifest);
  assert.deepEqual(
    parse(oci.bytes).layers.map(({ mediaType }) => mediaType),
    [mediaTypes.ociLayerGzip, mediaTypes.ociLayerZstd],
  );
});

test('the original manifest is kept exactly when it names just these blobs', () => {
  const manifest: Manifest = {
    schemaVersion: 2,
    config: { mediaType: mediaTypes.ociConfig, ...config },
    layers: [zstd],
    annotations: { kept: 'yes' },
  };
  const original = {
    manifest,
    bytes: Buffer.from(JSON.stringify(manifest, undefined, 3)),
    mediaType: mediaTypes.ociManifest,
  };
  assert.equal(manifestToPush(original, config, [zstd]), original);
  for (const [other, layers] of [
    [config, [gzip]],
    [config, [zstd, zstd]],
    [{ ...config, digest: digestOf('other') }, [zstd]],
  ] as const) {
    assert.notEqual(manifestToPush(original, other, layers), original);
  }
});
