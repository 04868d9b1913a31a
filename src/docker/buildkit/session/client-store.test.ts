import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { duplexPair } from 'node:stream';
import { test } from 'node:test';

import { StatusError } from '#base/errors.ts';
import { silentLogger } from '#base/logger.ts';
import type { Digest } from '#formats/oci.ts';
import { decodeMessage } from '#formats/protobuf/decode.ts';
import { encodeMessage } from '#formats/protobuf/encode.ts';
import { chunked, collect, noise } from '#kit/image-room.ts';
import { GrpcChannel } from '../grpc/grpc-channel.ts';
import { type GrpcMethod, serveGrpc, streaming, unary } from '../grpc/serve-grpc.ts';
import * as messages from '../messages/session-messages.ts';
import { clientStore } from './client-store.ts';

const never = new AbortController().signal;
const digestOf = (bytes: Uint8Array): Digest => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

/** The client's side as containerd's content server behaves; `short` loses bytes. */
async function withClient(
  work: (store: ReturnType<typeof clientStore>, blobs: Map<string, Buffer>) => Promise<void>,
  short = false,
) {
  const blobs = new Map<string, Buffer>();
  const write: GrpcMethod = async (call) => {
    assert.equal(call.header('buildkit-attachable-store-id'), 'local:/c');
    let bytes = Buffer.alloc(0);
    for await (const message of call.messages) {
      const { action, data, expected } = decodeMessage(messages.contentWriteRequest, message);
      bytes = Buffer.concat([bytes, data.subarray(short && data.length > 0 ? 1 : 0)]);
      if (action === messages.writeActions.commit) {
        if (blobs.has(expected)) throw new StatusError('Conflict', `content ${expected}: already exists`);
        blobs.set(expected, bytes);
      }
      await call.send(encodeMessage(messages.contentWriteResponse, { action, offset: BigInt(bytes.length) }));
    }
  };
  const find = (digest: string): Buffer => {
    const bytes = blobs.get(digest);
    if (bytes === undefined) throw new StatusError('NotFound', `content ${digest}: not found`);
    return bytes;
  };
  const service = '/containerd.services.content.v1.Content';
  const methods = {
    [`${service}/Write`]: write,
    [`${service}/Info`]: unary(messages.contentInfoRequest, messages.contentInfoResponse, ({ digest }) => ({
      info: { digest, size: BigInt(find(digest).length) },
    })),
    [`${service}/Read`]: streaming(
      messages.contentReadRequest,
      messages.contentReadResponse,
      async ({ digest }, send) => {
        for await (const data of chunked(find(digest))) await send({ data });
      },
    ),
  };
  const codes: Readonly<Record<string, number>> = { NotFound: 5, Conflict: 6 };
  const statusOf = (error: unknown) => {
    const { reason, message } = error as StatusError;
    return { code: codes[reason] ?? 2, message, details: [] };
  };
  const [ours, theirs] = duplexPair();
  const stopping = new AbortController();
  const served = serveGrpc(theirs, { methods, statusOf, logger: silentLogger }, stopping.signal);
  const channel = new GrpcChannel(ours);
  await work(clientStore({ channel, serves: (path) => Object.hasOwn(methods, path) }, 'local:/c'), blobs);
  channel.destroy();
  await served;
}

test('blobs go into a folder of the client, and are read from it', async () => {
  await withClient(async (store, blobs) => {
    const bytes = noise(2_500_000);
    const digest = digestOf(bytes);
    assert.equal(await store.sizeOf(digest, never), undefined);
    assert.deepEqual(await store.write(chunked(bytes, 2_000_000), never), { digest, sizeBytes: bytes.length });
    assert.deepEqual(blobs.get(digest), bytes);
    assert.deepEqual(await store.write(chunked(bytes), never), { digest, sizeBytes: bytes.length });
    assert.equal(await store.sizeOf(digest, never), bytes.length);
    assert.deepEqual(await collect(store.read(digest, never)), bytes);
    await assert.rejects(collect(store.read(digestOf(Buffer.from('x')), never)), /not found/);
  });
});

test('a client that keeps something else, or no store, is told so', async () => {
  await withClient(async (store) => {
    await assert.rejects(store.write(chunked(noise(10)), never), /it has 9 bytes of a blob, not 10/);
  }, true);
  const store = clientStore({ channel: {} as GrpcChannel, serves: () => false }, 'local:/c');
  await assert.rejects(store.write(chunked(noise(10)), never), /Content\/Write not supported by the client/);
});
