import assert from 'node:assert/strict';
import { test } from 'node:test';

import { decodeMessage } from '#formats/protobuf/decode.ts';
import { encodeMessage } from '#formats/protobuf/encode.ts';
import type { Encodable } from '#formats/protobuf/message.ts';
import { type FakeCall, startFakeEtcd } from '#kit/fake-etcd.ts';
import { bytes, reason } from '#kit/store-suite/driver.ts';
import { tell } from '#kit/store-suite/watching.ts';
import type { Owner } from '#kit/temp-root.ts';

import { EtcdClient } from './etcd-client.ts';
import { KeySpace } from './key-space.ts';
import { type watchEvent, watchRequest, watchResponse } from './messages.ts';
import { watchEvents } from './watch-events.ts';

type Event = Encodable<typeof watchEvent>;
type Response = Encodable<typeof watchResponse>;

test('a watch goes on after what came last when its stream ends', async (t) => {
  const starts: bigint[] = [];
  const told = await watch(t, 4n, 8n, async (call) => {
    const start = await startOf(call);
    starts.push(start);
    respond(call, { created: true, header: { revision: 20n } });
    // From the start on, as etcd does.
    const rest = [4n, 5n, 6n, 7n, 8n].filter((revision) => revision >= start);
    for (const revision of rest.slice(0, 3)) respond(call, { events: [put(revision)] });
    if (rest.length > 3) call.end(14, 'the server goes away');
  });
  assert.deepEqual(starts.slice(0, 2), [4n, 6n]);
  assert.deepEqual(
    told,
    [5n, 6n, 7n, 8n].map((revision) => `put /a >v @${String(revision)}`),
  );
});

test('puts, changes and removals have what was before', async (t) => {
  const told = await watch(t, 1n, 4n, (call) => {
    const before = { value: bytes('old') };
    respond(call, {
      events: [
        { kv: { key: bytes('/others'), modRevision: 2n, version: 1n } },
        put(2n),
        { ...put(3n, 2n), prevKv: before },
        { type: 1, kv: { key: bytes('/p/a'), modRevision: 4n }, prevKv: before },
      ],
    });
  });
  assert.deepEqual(told, ['put /a >v @2', 'put /a old>v @3', 'remove /a old>old @4']);
});

test('progress of a watch without changes is told', async (t) => {
  const told = await watch(t, 1n, 9n, (call) => {
    respond(call, { created: true, header: { revision: 30n } });
    respond(call, { header: { revision: 9n } });
  });
  assert.deepEqual(told, ['reached 9']);
});

test('what was compacted is Expired', async (t) => {
  const compacted = watch(t, 1n, 9n, (call) => respond(call, { canceled: true, compactRevision: 5n }));
  await assert.rejects(compacted, reason('Expired'));
  const lost = watch(t, 1n, 9n, (call) => respond(call, { events: [put(3n, 2n)] }));
  await assert.rejects(lost, reason('Expired'));
});

test('a watch that etcd ends for another reason is asked for again', async (t) => {
  let calls = 0;
  const told = await watch(t, 1n, 2n, (call) => {
    calls += 1;
    if (calls < 3) respond(call, { canceled: true, cancelReason: 'etcdserver: no leader' });
    else respond(call, { events: [put(2n)] });
  });
  assert.deepEqual(told, ['put /a >v @2']);
});

/** What a watch of `/` tells until a revision, by a scripted etcd. */
async function watch(
  owner: Owner,
  since: bigint,
  until: bigint,
  script: (call: FakeCall) => Promise<void> | void,
): Promise<readonly string[]> {
  const { url } = await startFakeEtcd(owner, script);
  using client = new EtcdClient([new URL(url)], undefined);
  const stop = new AbortController();
  const told: string[] = [];
  for await (const { changes, reached } of watchEvents(client, new KeySpace('/p'), since, stop.signal)) {
    told.push(...changes.map((change) => tell(change)));
    if (changes.length === 0) told.push(`reached ${String(reached)}`);
    if (reached >= until) stop.abort();
  }
  return told;
}

async function startOf(call: FakeCall): Promise<bigint> {
  const first = await call.messages[Symbol.asyncIterator]().next();
  if (first.done === true) throw new Error('the client said nothing');
  return decodeMessage(watchRequest, first.value).create?.startRevision ?? 0n;
}

function respond(call: FakeCall, response: Response): void {
  call.send(encodeMessage(watchResponse, response));
}

function put(revision: bigint, version = 1n): Event {
  return { kv: { key: bytes('/p/a'), value: bytes('v'), modRevision: revision, version } };
}
