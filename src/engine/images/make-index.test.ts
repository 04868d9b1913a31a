import assert from 'node:assert/strict';
import { test } from 'node:test';

import { mediaTypes } from '#formats/oci.ts';
import type { Platform } from '#formats/oci.ts';
import { parseReference } from '#formats/reference.ts';
import { makeIndex, packageUrl } from './make-index.ts';
import { digestOf } from './store/chain.ts';

const tag = parseReference('localhost:5000/team/app:1');
const amd64: Platform = { os: 'linux', architecture: 'amd64' };
const armv7: Platform = { os: 'linux', architecture: 'arm', variant: 'v7' };
const manifest = (name: string) => ({ mediaType: mediaTypes.ociManifest, digest: digestOf(name), size: 7 });
const json = (bytes: Uint8Array): unknown => JSON.parse(Buffer.from(bytes).toString());

test('images first, then a manifest of statements for each of which something is claimed', () => {
  const claim = { predicateType: 'https://example.org/claim', predicate: Buffer.from('{"made":"here"}') };
  const images = [
    { manifest: manifest('one'), platform: amd64, attestations: [claim] },
    { manifest: manifest('two'), platform: armv7, attestations: [] },
  ];
  const made = makeIndex(images, tag);
  assert.deepEqual(makeIndex(images, tag), made);
  assert.deepEqual(json(made.bytes), made.index);
  const [document] = made.manifests;
  assert.equal(made.manifests.length, 1);
  assert.deepEqual(made.index.manifests, [
    { ...manifest('one'), platform: amd64 },
    { ...manifest('two'), platform: armv7 },
    {
      mediaType: mediaTypes.ociManifest,
      digest: document?.digest,
      size: document?.bytes.length,
      annotations: {
        'vnd.docker.reference.digest': digestOf('one'),
        'vnd.docker.reference.type': 'attestation-manifest',
      },
      platform: { os: 'unknown', architecture: 'unknown' },
    },
  ]);
  const [config, statement = assert.fail()] = made.blobs;
  assert.deepEqual(json(statement.bytes), {
    _type: 'https://in-toto.io/Statement/v0.1',
    predicateType: 'https://example.org/claim',
    subject: [
      {
        name: 'pkg:docker/localhost:5000/team/app@1?platform=linux%2Famd64',
        digest: { sha256: digestOf('one').replace('sha256:', '') },
      },
    ],
    predicate: { made: 'here' },
  });
  const named = json(document?.bytes ?? assert.fail()) as { config: { digest: string }; layers: object[] };
  assert.equal(named.config.digest, config?.digest);
  assert.deepEqual(named.layers, [
    {
      mediaType: 'application/vnd.in-toto+json',
      digest: statement.digest,
      size: statement.bytes.length,
      annotations: { 'in-toto.io/predicate-type': 'https://example.org/claim' },
    },
  ]);
  assert.equal(makeIndex(images.slice(1), tag).manifests.length, 0);
});

test('packages are named as users name images', () => {
  assert.equal(packageUrl(parseReference('busybox:1.36'), armv7), 'pkg:docker/busybox@1.36?platform=linux%2Farm%2Fv7');
});
