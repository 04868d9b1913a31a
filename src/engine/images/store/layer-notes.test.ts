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
    const same = { ...blob, digest: digestOf('same') };
    await notes.add([{ diffId: layer, blob, repository: 'h.example/a' }]);
    await notes.add([{ diffId: layer, blob: same, repository: `h.example/${String(index)}` }]);
  }
  await notes.add([
    { diffId: other, tarSizeBytes: 7 },
    { diffId: layer, tarSizeBytes: 9 },
  ]);
  const { blobs } = notes.get(layer);
  assert.equal(notes.get(other).tarSizeBytes, 7);
  assert.equal(notes.get(layer).tarSizeBytes, 9);
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
