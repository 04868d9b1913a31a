import test from 'node:test';

import { createClient } from '#kube/client/create-client.ts';
import type { Client } from '#kube/client/client.ts';

import { startInstance, type Instance } from '../../kit/instance.ts';
import { connectTo } from '../../kit/kube-client.ts';
import { Random } from '../../kit/random.ts';
import { MirrorWatch } from './mirror-watch.ts';
import { RevisionOrder } from './revision-order.ts';
import { Writer, writerKinds } from './writer.ts';

/** A round is a life of the daemon: some in each run of the tests, as many as one likes by hand. */
const rounds = Number(process.env['KILL_ROUNDS'] ?? '3');
const seed = Number(process.env['KILL_SEED'] ?? Math.trunc(performance.timeOrigin % 1_000_000));
const writersPerKind = 3;
/** Acknowledged writes of a round, before the daemon is killed in the middle of the next ones. */
const writesMost = 300;

test(`kill -9 in the middle of writes, ${String(rounds)} times (seed ${String(seed)})`, async (t) => {
  // Nobody but the writers writes to their objects.
  const instance = await startInstance(t, { settings: ['kubernetes.controllers=false'] });
  const random = new Random(seed);
  const order = new RevisionOrder();
  const writers = writerKinds.flatMap((_, kind) =>
    Array.from(
      { length: writersPerKind },
      (__, index) => new Writer(kind, index, new Random(seed + kind * 100 + index)),
    ),
  );
  const mirror = new MirrorWatch();
  let acknowledged = 0;
  for (let round = 1; round <= rounds; round += 1) {
    acknowledged += await liveAndDie(instance, writers, mirror, order, 1 + random.integer(writesMost));
    await instance.start();
  }
  await withClient(instance, async (client, signal) => {
    for (const writer of writers) await writer.verify(client, order, signal);
    await mirror.compareWithList(client, signal);
  });
  t.diagnostic(
    `${String(acknowledged)} acknowledged writes, ${String(mirror.events)} events watched, ` +
      `${String(writers.reduce((sum, one) => sum + one.doubts, 0))} writes cut off, of which ` +
      `${String(writers.reduce((sum, one) => sum + one.doubtsDone, 0))} were done`,
  );
});

/** Checks what the last life left, writes until there are as many acknowledgements, and kills the daemon. */
async function liveAndDie(
  instance: Instance,
  writers: readonly Writer[],
  mirror: MirrorWatch,
  order: RevisionOrder,
  writes: number,
): Promise<number> {
  let acknowledged = 0;
  await withClient(instance, async (client, signal) => {
    for (const writer of writers) await writer.verify(client, order, signal);
    order.endRound();
    const watching = mirror.follow(client, order, signal);
    const { promise: enough, resolve } = Promise.withResolvers<void>();
    const acknowledge = (): void => {
      acknowledged += 1;
      if (acknowledged >= writes) resolve();
    };
    const writing = Promise.all(
      writers.map(async (writer) => writer.writeUntilCut(client, order, acknowledge, signal)),
    );
    // A writer ends before the kill only when something is wrong.
    await Promise.race([enough, writing]);
    await instance.kill9();
    await writing;
    await watching;
  });
  return acknowledged;
}

async function withClient(
  instance: Instance,
  work: (client: Client, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  await using transport = connectTo(instance);
  await work(createClient(transport), new AbortController().signal);
}
