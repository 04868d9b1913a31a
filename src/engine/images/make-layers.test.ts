import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { KeyedLock } from '#base/keyed-lock.ts';
import { chunked, layerTar } from '#kit/image-room.ts';
import { MemorySnapshots } from '#kit/memory-snapshots.ts';
import type { LayerMaking, LayerRoom } from './make-layers.ts';
import { makeLayers } from './make-layers.ts';
import type { WantedLayer } from './room.ts';
import { wantedLayers } from './room.ts';
import { chainOf, digestOf } from './store/chain.ts';

const never = new AbortController().signal;

describe('making layers', () => {
  test('layers that are ready wait for the disk together', async () => {
    const world = new World();
    await world.make(await world.chain('a', 'b', 'c', 'd'));
    assert.deepEqual(world.snapshots.layers().length, 4);
    assert.equal(world.snapshots.commits, 1);
  });

  test('what is unpacked is kept while the next layer has yet to come', async () => {
    const world = new World();
    const chain = await world.chain('a', 'b', 'c');
    const slow = Promise.withResolvers<void>();
    const seen = Promise.withResolvers<void>();
    const [first, second, third] = chain as [LayerMaking, LayerMaking, LayerMaking];
    const making = world.make([first, { ...second, fetch: () => slow.promise }, third]);
    // Another one wants the first layer only, and gets it although the second never comes.
    const other = world.make([{ ...first, onPresent: () => seen.resolve() }]);
    await Promise.all([seen.promise, other]);
    assert.equal(world.snapshots.layers().length, 1);
    slow.resolve();
    await making;
    assert.deepEqual([world.snapshots.layers().length, world.snapshots.commits], [3, 2]);
  });

  test('chains that share layers do not wait for each other for ever, and make each layer once', async () => {
    const world = new World();
    const chains = [
      await world.chain('a', 'b', 'c'),
      await world.chain('a', 'b', 'd'),
      await world.chain('a', 'b', 'c'),
      await world.chain('a'),
    ];
    await Promise.all(chains.map((chain) => world.make(chain)));
    assert.equal(world.snapshots.unpacked, 4);
  });

  test('the first failure ends the rest, and leaves nothing of what was not durable', async () => {
    const world = new World();
    const chain = await world.chain('a', 'b', 'c');
    const fails = { ...(chain[2] as LayerMaking), fetch: () => Promise.reject(new Error('gone')) };
    await assert.rejects(world.make([...chain.slice(0, 2), fails]), { message: 'gone' });
    assert.equal(world.snapshots.layers().length, 0);
    await world.make(chain);
    assert.equal(world.snapshots.layers().length, 3);
  });

  test('an abort is heard while another one is at a layer', async () => {
    const world = new World();
    const [first] = (await world.chain('a')) as [LayerMaking];
    const slow = Promise.withResolvers<void>();
    const making = world.make([{ ...first, fetch: () => slow.promise }]);
    await assert.rejects(world.make([first], AbortSignal.abort(new Error('enough'))), { message: 'enough' });
    slow.resolve();
    await making;
  });
});

class World implements LayerRoom {
  readonly snapshots = new MemorySnapshots();
  readonly #locks = new KeyedLock();
  readonly layers: LayerRoom['layers'] = { exclusively: (chainId, work) => this.#locks.run(chainId, work) };

  async chain(...names: readonly string[]): Promise<readonly LayerMaking[]> {
    const tars = await Promise.all(names.map((name) => layerTar({ [name]: name })));
    const diffIds = tars.map(digestOf);
    return wantedLayers(diffIds, chainOf(diffIds)).map((layer, index) => this.#making(layer, tars[index] as Buffer));
  }

  async make(chain: readonly LayerMaking[], signal = never): Promise<void> {
    await makeLayers(this, chain, signal);
  }

  #making(layer: WantedLayer, tar: Buffer): LayerMaking {
    return {
      layer,
      fetch: () => Promise.resolve(),
      unpack: async (group, signal) => void (await group.unpack(layer.parent, chunked(tar), layer.diffId, signal)),
    };
  }
}
