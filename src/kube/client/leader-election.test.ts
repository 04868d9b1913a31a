import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { FakeClock, settle } from '#kit/fake-clock.ts';
import { MemoryApi } from '#kit/memory-api.ts';

import { lease as leaseKind } from '../kinds/coordination/lease.ts';
import { ApiError } from '../status.ts';
import type { Lease } from '../types/gen/coordination-v1.ts';
import { kindOf } from './client.ts';
import { createClient } from './create-client.ts';
import { leadAndWork } from './leader-election.ts';

const key = { namespace: 'kube-system', name: 'controllers' };

describe('leader election', () => {
  test('gives the lease to one, and to the next when it is given up', async () => {
    const world = new World();
    const one = world.candidate('one');
    await world.clock.advance(3000);
    const two = world.candidate('two');
    await world.clock.advance(60_000);
    assert.deepEqual(world.leaders, ['one']);
    assert.equal((await world.lease()).holderIdentity, 'one');
    await one.stop();
    assert.equal((await world.lease()).holderIdentity, '');
    await world.clock.advance(5000);
    assert.deepEqual(world.leaders, ['two']);
    const { leaseTransitions, leaseDurationSeconds, renewTime } = await world.lease();
    assert.deepEqual([leaseTransitions, leaseDurationSeconds], [1, 15]);
    assert.match(renewTime ?? '', /^2026-01-01T\d\d:\d\d:\d\d\.\d{6}Z$/);
    await two.stop();
  });

  test('waits for a leader that says nothing, not longer', async () => {
    const world = new World();
    const one = world.candidate('one');
    await world.clock.advance(3000);
    world.cutOff.add('one');
    const two = world.candidate('two');
    await world.clock.advance(9_000);
    assert.deepEqual(world.leaders, ['one']);
    await world.clock.advance(20_000);
    assert.deepEqual(world.leaders, ['two']);
    assert.equal(world.wereTwo, false);
    await one.stop();
    await two.stop();
  });

  test('stops the work when the lease cannot be renewed, and asks again', async () => {
    const world = new World();
    const one = world.candidate('one');
    await world.clock.advance(3000);
    world.cutOff.add('one');
    await world.clock.advance(13_000);
    assert.deepEqual(world.leaders, []);
    world.cutOff.delete('one');
    await world.clock.advance(20_000);
    assert.deepEqual(world.leaders, ['one']);
    await one.stop();
  });

  test('stops at once when another holds the lease', async () => {
    const world = new World();
    const one = world.candidate('one');
    await world.clock.advance(3000);
    const client = createClient(world.api);
    const current = await client.get(kindOf<Lease>(leaseKind), key, new AbortController().signal);
    const spec = { ...current.spec, holderIdentity: 'thief' };
    await client.update(kindOf<Lease>(leaseKind), { ...current, spec }, {}, new AbortController().signal);
    await world.clock.advance(3000);
    assert.deepEqual(world.leaders, []);
    assert.equal((await world.lease()).holderIdentity, 'thief');
    await one.stop();
  });

  test('one of many that start together leads, never two', async () => {
    const world = new World();
    const all = ['a', 'b', 'c', 'd', 'e'].map((name) => world.candidate(name));
    for (let round = 0; round < 10; round += 1) {
      await world.clock.advance(20_000);
      const [leader = ''] = world.leaders;
      assert.equal(world.leaders.length, 1);
      world.cutOff.clear();
      world.cutOff.add(leader);
    }
    assert.equal(world.wereTwo, false);
    for (const one of all) await one.stop();
  });

  test('ends when the work ends, and throws what the work throws', async () => {
    const world = new World();
    const { signal } = new AbortController();
    const options = { lease: key, identity: 'one', clock: world.clock };
    await leadAndWork(createClient(world.api), options, async () => {}, signal);
    assert.equal((await world.lease()).holderIdentity, '');
    const failing = leadAndWork(
      createClient(world.api),
      options,
      async () => Promise.reject(new Error('broken')),
      signal,
    );
    await assert.rejects(failing, /broken/);
  });
});

class World {
  readonly api = new MemoryApi();
  readonly clock = new FakeClock();
  readonly leaders: string[] = [];
  /** Candidates whose requests fail. */
  readonly cutOff = new Set<string>();
  wereTwo = false;

  candidate(identity: string): { stop(): Promise<void> } {
    const stop = new AbortController();
    const client = createClient({
      send: async (request, signal) => {
        if (this.cutOff.has(identity)) throw new ApiError('ServiceUnavailable', 'cut off');
        return this.api.send(request, signal);
      },
    });
    const options = { lease: key, identity, clock: this.clock };
    const done = leadAndWork(client, options, async (signal) => this.#lead(identity, signal), stop.signal);
    return {
      stop: async () => {
        stop.abort();
        await done;
      },
    };
  }

  async lease(): Promise<NonNullable<Lease['spec']>> {
    await settle();
    const { spec } = await createClient(this.api).get(kindOf<Lease>(leaseKind), key, new AbortController().signal);
    return spec ?? {};
  }

  async #lead(identity: string, signal: AbortSignal): Promise<void> {
    this.leaders.push(identity);
    if (this.leaders.length > 1) this.wereTwo = true;
    await new Promise((resolve) => {
      signal.addEventListener('abort', resolve, { once: true });
    });
    this.leaders.splice(this.leaders.indexOf(identity), 1);
  }
}
