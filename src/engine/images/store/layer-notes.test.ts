import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { silentLogger } from '#base/logger.ts';
import { digestOf } from './chain.ts';
import { LayerNotes } from './layer-notes.ts';

test('notes are bounded, the latest first, and go with their layers', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-notes-'));
  t.after(() => rm(folder, { recursive: true }));
  const options = { path: join(folder, 'notes'), asidePath: join(folder, 'damaged'), logger: silentLogger };
  const notes = new LayerNotes(options);
  await notes.open(new Set());
  const [layer, other] = [digestOf('layer'), digestOf('other')];
  for (let index = 0; index < 20; index += 1) {
    const blob = { digest: digestOf(`blob ${String(index)}`), sizeBytes: index, mediaType: 'gzip' };
    await notes.addBlob(layer, blob, 'h.example/a');
    await notes.addBlob(layer, { ...blob, digest: digestOf('same') }, `h.example/${String(index)}`);
  }
  await notes.setTarSize(other, 7);
  const { blobs } = notes.get(layer);
  assert.equal(blobs.length, 8);
  assert.equal(blobs[0]?.digest, digestOf('same'));
  assert.equal(blobs[0]?.repositories.length, 16);
  assert.equal(blobs[0]?.repositories[0], 'h.example/19');
  assert.equal(blobs[1]?.sizeBytes, 19);

  const again = new LayerNotes(options);
  await again.open(new Set([layer]));
  assert.deepEqual(again.get(layer), notes.get(layer));
  assert.deepEqual(again.get(other), { blobs: [] });
});
