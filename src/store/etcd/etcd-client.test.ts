import assert from 'node:assert/strict';
import { test } from 'node:test';

import { decodeMessage } from '#formats/protobuf/decode.ts';
import { encodeMessage } from '#formats/protobuf/encode.ts';
import { type FakeCall, startFakeEtcd } from '#kit/fake-etcd.ts';
import { bytes, never } from '#kit/store-suite/driver.ts';

import { EtcdClient } from './etcd-client.ts';
import { rangeMethod } from './messages.ts';
import { RpcFailure } from './rpc-failure.ts';

const request = { key: bytes('/a') };

test('a call reaches the next member when one is not there', async (t) => {
  const { url } = await startFakeEtcd(t, answer);
  using client = new EtcdClient([new URL('http://127.0.0.1:1'), new URL(url)], undefined);
  for (const kind of ['read', 'write'] as const)
    assert.equal((await client.call(rangeMethod, request, kind, never)).header?.revision, 7n);
});

test('a read is asked again of the next member, a write that may be done is not', async (t) => {
  let calls = 0;
  const bad = await startFakeEtcd(t, (call) => {
    calls += 1;
    if (calls % 2 === 1) call.breakConnection();
    else call.end(14, 'etcdserver: request timed out');
  });
  const good = await startFakeEtcd(t, answer);
  for (let round = 0; round < 2; round += 1) {
    using client = new EtcdClient([new URL(bad.url), new URL(good.url)], undefined);
    await assert.rejects(client.call(rangeMethod, request, 'write', never), (error) => {
      return error instanceof RpcFailure && error.mayBeDone;
    });
    assert.equal((await client.call(rangeMethod, request, 'read', never)).header?.revision, 7n);
  }
  assert.equal(calls, 2);
});

test('a write that was refused before anything was done is asked again', async (t) => {
  const bad = await startFakeEtcd(t, (call) => call.end(14, 'etcdserver: no leader'));
  const good = await startFakeEtcd(t, answer);
  using client = new EtcdClient([new URL(bad.url), new URL(good.url)], undefined);
  assert.equal((await client.call(rangeMethod, request, 'write', never)).header?.revision, 7n);
});

test('what a member says is final is not asked of others', async (t) => {
  let calls = 0;
  const member = await startFakeEtcd(t, (call) => {
    calls += 1;
    call.end(11, 'etcdserver: mvcc: required revision has been compacted');
  });
  using client = new EtcdClient([new URL(member.url), new URL(member.url)], undefined);
  await assert.rejects(client.call(rangeMethod, request, 'read', never), /has been compacted/);
  assert.equal(calls, 1);
});

test('calls of one moment share a connection, and one that was left goes on with what it has', async (t) => {
  const [{ promise: reached, resolve: reach }, { promise: released, resolve: release }] = [latch(), latch()];
  const first = await startFakeEtcd(t, async (call) => {
    reach();
    await released;
    await answer(call);
  });
  const second = await startFakeEtcd(t, answer);
  using client = new EtcdClient([new URL(first.url), new URL(second.url)], undefined);
  using stream = await client.open(rangeMethod.path, never);
  stream.send(encodeMessage(rangeMethod.request, request));
  stream.end();
  await reached;
  client.leave(stream.connection);
  client.leave(stream.connection);
  assert.equal((await client.call(rangeMethod, request, 'read', never)).header?.revision, 7n);
  release();
  const answers = [];
  for await (const message of stream.messages) answers.push(decodeMessage(rangeMethod.reply, message).header?.revision);
  assert.deepEqual(answers, [7n]);
});

test('a call that is called off, and a client that is closed, end at once', async (t) => {
  const silent = await startFakeEtcd(t, () => {});
  const client = new EtcdClient([new URL(silent.url)], undefined);
  const stop = new AbortController();
  const called = client.call(rangeMethod, request, 'read', stop.signal);
  const ends = assert.rejects(called, /enough/);
  stop.abort(new Error('enough'));
  await ends;
  client[Symbol.dispose]();
  await assert.rejects(client.call(rangeMethod, request, 'write', never));
});

function latch(): PromiseWithResolvers<void> {
  return Promise.withResolvers<void>();
}

async function answer(call: FakeCall): Promise<void> {
  for await (const message of call.messages) {
    assert.equal(call.path, rangeMethod.path);
    assert.deepEqual(Buffer.from(decodeMessage(rangeMethod.request, message).key), Buffer.from('/a'));
  }
  call.send(encodeMessage(rangeMethod.reply, { header: { revision: 7n } }));
  call.end();
}
