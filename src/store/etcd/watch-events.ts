import { sleep } from '#base/clock.ts';
import { reasonOf } from '#base/errors.ts';
import { decodeMessage } from '#formats/protobuf/decode.ts';
import { encodeMessage } from '#formats/protobuf/encode.ts';
import type { Decoded } from '#formats/protobuf/message.ts';

import type { Stretch } from '../change-feed.ts';
import { expired } from '../failures.ts';
import type { Change } from '../store.ts';
import type { EtcdClient } from './etcd-client.ts';
import type { RpcStream } from './etcd-connection.ts';
import type { KeySpace } from './key-space.ts';
import { deleteEvent, type watchEvent, watchPath, watchRequest, watchResponse } from './messages.ts';

const pauseMs = 200;

/**
 * All changes of our keys after a revision, for ever: a connection that breaks is made anew with the next member, and goes
 * on after what came last. It watches the keys of others as well, since only so it is known how far it has come. Ends
 * when the signal aborts. Throws Expired when what comes next was compacted.
 */
export async function* watchEvents(
  client: EtcdClient,
  keys: KeySpace,
  since: bigint,
  signal: AbortSignal,
): AsyncGenerator<Stretch, void, undefined> {
  let position = since;
  while (!signal.aborted) {
    try {
      using stream = await client.open(watchPath, signal);
      try {
        for await (const stretch of readStream(stream, keys, position)) {
          position = stretch.reached;
          yield stretch;
        }
      } finally {
        client.leave(stream.connection);
      }
    } catch (error) {
      if (signal.aborted) return;
      if (reasonOf(error) === 'Expired') throw error;
    }
    await sleep(pauseMs, signal).catch(() => {});
  }
}

/** What a new watch on a stream tells, until the stream ends. */
async function* readStream(stream: RpcStream, keys: KeySpace, since: bigint): AsyncGenerator<Stretch, void, undefined> {
  // From `since` itself, whose change is left out: what was compacted up to there is told for sure then.
  const startRevision = since > 1n ? since : 1n;
  const create = { ...keys.everything, startRevision, progressNotify: true, prevKv: true };
  stream.send(encodeMessage(watchRequest, { create }));
  let position = since;
  for await (const message of stream.messages) {
    const { header, created, canceled, compactRevision, cancelReason, events } = decodeMessage(watchResponse, message);
    if (compactRevision > 0n) throw expired(position, compactRevision);
    if (canceled) throw new Error(`etcd ends the watch: ${cancelReason}`);
    if (created) continue;
    const later = events.filter(({ kv }) => kv !== undefined && kv.modRevision > since);
    const changes = later.flatMap((event) => changeOf(event, keys) ?? []);
    const reached = events.at(-1)?.kv?.modRevision ?? header?.revision ?? position;
    if (reached <= position) continue;
    position = reached;
    yield { changes, reached };
  }
}

function changeOf({ type, kv, prevKv }: Decoded<typeof watchEvent>, keys: KeySpace): Change | undefined {
  const key = kv === undefined ? undefined : keys.keyOf(kv.key);
  if (kv === undefined || key === undefined) return undefined;
  const { modRevision: revision, value, version } = kv;
  // What was before is looked up when the event is sent, and may be compacted by then.
  if (prevKv === undefined && (type === deleteEvent || version > 1n)) throw expired(revision - 1n, revision);
  const before = prevKv?.value;
  if (type === deleteEvent) return { type: 'remove', key, value: before ?? new Uint8Array(), before, revision };
  return { type: 'put', key, value, before, revision };
}
