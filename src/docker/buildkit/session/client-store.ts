import { createHash } from 'node:crypto';

import { reasonOf, StatusError } from '#base/errors.ts';
import { newId } from '#base/ids.ts';
import type { ContentStore } from '#engine/images/content-store.ts';
import { decodeMessage } from '#formats/protobuf/decode.ts';
import { encodeMessage } from '#formats/protobuf/encode.ts';
import type { Encodable } from '#formats/protobuf/message.ts';

import type { GrpcStream } from '../grpc/grpc-channel.ts';
import * as messages from '../messages/session-messages.ts';
import type { ClientSession } from './client-session.ts';

const service = '/containerd.services.content.v1.Content';
/** Which of the client's stores is meant (buildkit: session/content/attachable.go). */
const storeHeader = 'buildkit-attachable-store-id';
/** Bytes of one message; gRPC's peers take 4 MiB by default. */
const messageBytes = 1024 * 1024;

/** A folder of the client that it lends as a store of blobs: `local:<its path>` for caches. */
export function clientStore(session: StoreSession, id: string): ContentStore {
  const { channel } = session;
  const metadata = { [storeHeader]: id };
  const checkServed = (method: string): string => {
    const path = `${service}/${method}`;
    if (session.serves(path)) return path;
    throw new StatusError('InvalidArgument', `method ${path} not supported by the client`);
  };
  return {
    async sizeOf(digest, signal) {
      const both = { request: messages.contentInfoRequest, reply: messages.contentInfoResponse, metadata };
      try {
        const { info } = await channel.call(checkServed('Info'), both, { digest }, signal);
        return info === undefined ? undefined : Number(info.size);
      } catch (error) {
        if (reasonOf(error) === 'NotFound') return undefined;
        throw error;
      }
    },
    async *read(digest, signal) {
      using stream = channel.open(checkServed('Read'), metadata, signal);
      await stream.send(encodeMessage(messages.contentReadRequest, { digest }));
      stream.end();
      for await (const bytes of stream.messages) yield decodeMessage(messages.contentReadResponse, bytes).data;
    },
    async write(bytes, signal) {
      using stream = channel.open(checkServed('Write'), metadata, signal);
      return await writeBlob(stream, bytes);
    },
  };
}

export type StoreSession = Pick<ClientSession, 'channel' | 'serves'>;

async function writeBlob(stream: GrpcStream, bytes: AsyncIterable<Uint8Array>): ReturnType<ContentStore['write']> {
  const hash = createHash('sha256');
  const answers = stream.messages[Symbol.asyncIterator]();
  let offset = 0;
  const ask = async (request: Encodable<typeof messages.contentWriteRequest>): Promise<number> => {
    await stream.send(encodeMessage(messages.contentWriteRequest, request));
    const { value, done } = await answers.next();
    if (done === true) throw new StatusError('Unavailable', "Cannot write into the client's folder: it stopped");
    return Number(decodeMessage(messages.contentWriteResponse, value).offset);
  };
  // A name of its own: what an earlier, broken transfer left is not taken up.
  await ask({ action: messages.writeActions.stat, ref: `slipway-${newId()}` });
  for await (const chunk of bytes) {
    hash.update(chunk);
    for (let start = 0; start < chunk.length; start += messageBytes) {
      const data = chunk.subarray(start, start + messageBytes);
      const reached = await ask({ action: messages.writeActions.write, offset: BigInt(offset), data });
      offset += data.length;
      if (reached !== offset)
        throw new StatusError(
          'Damaged',
          `Cannot write into the client's folder: it has ${String(reached)} bytes of a blob, not ${String(offset)}`,
        );
    }
  }
  const digest = `sha256:${hash.digest('hex')}` as const;
  try {
    await ask({
      action: messages.writeActions.commit,
      offset: BigInt(offset),
      total: BigInt(offset),
      expected: digest,
    });
    stream.end();
    await answers.next();
  } catch (error) {
    // It is there already.
    if (reasonOf(error) !== 'Conflict') throw error;
  }
  return { digest, sizeBytes: offset };
}
