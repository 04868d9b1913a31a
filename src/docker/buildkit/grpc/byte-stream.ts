import { Duplex } from 'node:stream';

import { decodeMessage } from '#formats/protobuf/decode.ts';
import { encodeMessage } from '#formats/protobuf/encode.ts';

import { bytesMessage } from '../messages/session-messages.ts';

interface Messages {
  readonly messages: AsyncIterable<Uint8Array>;
  readonly send: (message: Uint8Array) => Promise<void>;
  /** Says that no more is sent. */
  readonly end: () => void;
  /** Nobody reads or writes any more. */
  readonly close: () => void;
}

/** Messages of bytes, both ways, as one stream of bytes. */
export function byteStream({ messages, send, end, close }: Messages): Duplex {
  const items = messages[Symbol.asyncIterator]();
  // An empty piece would not wake the reader again.
  const next = async (): Promise<Uint8Array | null> => {
    for (let item = await items.next(); item.done !== true; item = await items.next()) {
      const { data } = decodeMessage(bytesMessage, item.value);
      if (data.length > 0) return data;
    }
    return null;
  };
  const write = async (data: Buffer, done: (error?: Error) => void): Promise<void> => {
    try {
      await send(encodeMessage(bytesMessage, { data }));
      done();
    } catch (error) {
      done(error as Error);
    }
  };
  const duplex: Duplex = new Duplex({
    read() {
      next().then(
        (data) => duplex.push(data),
        (error: unknown) => duplex.destroy(error as Error),
      );
    },
    write(chunk: Buffer, _, done) {
      void write(chunk, done);
    },
    final(done) {
      end();
      done();
    },
    destroy(error, done) {
      close();
      done(error);
    },
  });
  return duplex;
}
