import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { Engine } from '#engine/engine.ts';
import type { Layer } from '#engine/snapshots/snapshots.ts';
import type { Digest } from '#formats/oci.ts';
import { verifyImages } from './verify-images.ts';

const never = new AbortController().signal;
const digest = (letter: string): Digest => `sha256:${letter.repeat(64)}`;
const layer = (letter: string, parent?: string): Layer => ({
  chainId: digest(letter),
  diffId: digest(letter.toUpperCase()),
  parent: parent === undefined ? undefined : digest(parent),
  sizeBytes: 1_500_000,
});

/** base (a) <- app (b), base <- other (c), and a layer of the build cache (d). */
const layers = [layer('a'), layer('b', 'a'), layer('c', 'a'), layer('d')];
const images = [
  { id: digest('1'), tags: ['app:1'], topLayer: digest('b') },
  { id: digest('2'), tags: [], topLayer: digest('c') },
];

function engine(bad: string): { engine: Pick<Engine, 'images' | 'snapshots'>; asked: string[] } {
  const asked: string[] = [];
  const parts = {
    images: { list: () => images, get: (name: string) => images.find(({ tags }) => tags[0] === name) },
    snapshots: {
      layers: () => layers,
      layer: (chainId: Digest) => layers.find((one) => one.chainId === chainId),
      verify: async (chainId: Digest) => {
        asked.push(chainId.charAt(7));
        return await Promise.resolve(chainId === digest(bad) ? 'it is harmed' : undefined);
      },
    },
  };
  return { engine: parts as unknown as Pick<Engine, 'images' | 'snapshots'>, asked };
}

test('the layers of the named images are compared, each once, and who has a damaged one is told', async () => {
  const { engine: parts, asked } = engine('a');
  const lines: string[] = [];
  const line = await verifyImages(parts, ['app:1'], (text) => lines.push(text), never);
  assert.deepEqual(asked, ['a', 'b']);
  assert.deepEqual(lines, ['1/2 AAAAAAAAAAAA 1.5 MB', '2/2 BBBBBBBBBBBB 1.5 MB']);
  const damaged = [{ diffId: digest('A'), damage: 'it is harmed', images: ['222222222222', 'app:1'] }];
  assert.deepEqual(line, { kind: 'done', layers: 2, damaged });
});

test('without names all layers are, also those that no image has', async () => {
  const { engine: parts, asked } = engine('d');
  const line = await verifyImages(parts, [], () => {}, never);
  assert.deepEqual(asked, ['a', 'b', 'c', 'd']);
  const damaged = [{ diffId: digest('D'), damage: 'it is harmed', images: [] }];
  assert.deepEqual(line, { kind: 'done', layers: 4, damaged });
});
