import { Duplex } from 'node:stream';

import { StatusError } from '#base/errors.ts';
import type { BuildSession } from '#engine/build/builder.ts';
import { decodeMessage } from '#formats/protobuf/decode.ts';
import { encodeMessage } from '#formats/protobuf/encode.ts';

import type { GrpcStream } from '../grpc/grpc-channel.ts';
import {
  bytesMessage,
  checkAgentRequest,
  getSecretRequest,
  getSecretResponse,
  nothing,
} from '../messages/session-messages.ts';
import type { ClientSession } from './client-session.ts';

const secretMethod = '/moby.buildkit.secrets.v1.Secrets/GetSecret';
const checkMethod = '/moby.sshforward.v1.SSH/CheckAgent';
const forwardMethod = '/moby.sshforward.v1.SSH/ForwardAgent';

/** What the client lends to steps: its secrets and SSH agents. */
export function lendSession(session: ClientSession): BuildSession {
  return {
    async secret(id, signal) {
      if (!session.serves(secretMethod)) return undefined;
      const messages = { request: getSecretRequest, reply: getSecretResponse };
      const found = await unlessRefused(() => session.channel.call(secretMethod, messages, { id }, signal));
      return found?.data;
    },
    async hasSshAgent(id, signal) {
      if (!session.serves(checkMethod)) return false;
      const messages = { request: checkAgentRequest, reply: nothing };
      return (await unlessRefused(() => session.channel.call(checkMethod, messages, { id }, signal))) !== undefined;
    },
    connectSshAgent: async (id, signal) =>
      await Promise.resolve(duplexOf(session.channel.open(forwardMethod, { 'buildkit.ssh.id': id }, signal))),
  };
}

/** undefined when the client says no. */
async function unlessRefused<T>(call: () => Promise<T>): Promise<T | undefined> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof StatusError && error.reason !== 'Unavailable') return undefined;
    throw error;
  }
}

/** A stream of messages as one of bytes. */
function duplexOf(stream: GrpcStream): Duplex {
  const messages = stream.messages[Symbol.asyncIterator]();
  // An empty piece would not wake the reader again.
  const next = async (): Promise<Uint8Array | null> => {
    for (let item = await messages.next(); item.done !== true; item = await messages.next()) {
      const { data } = decodeMessage(bytesMessage, item.value);
      if (data.length > 0) return data;
    }
    return null;
  };
  const send = async (data: Buffer, done: (error?: Error) => void): Promise<void> => {
    try {
      await stream.send(encodeMessage(bytesMessage, { data }));
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
      void send(chunk, done);
    },
    final(done) {
      stream.end();
      done();
    },
    destroy(error, done) {
      stream[Symbol.dispose]();
      done(error);
    },
  });
  return duplex;
}
