import { StatusError } from '#base/errors.ts';
import type { BuildSession } from '#engine/build/builder.ts';

import { byteStream } from '../grpc/byte-stream.ts';
import { checkAgentRequest, getSecretRequest, getSecretResponse, nothing } from '../messages/session-messages.ts';
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
    async connectSshAgent(id, signal) {
      const stream = session.channel.open(forwardMethod, { 'buildkit.ssh.id': id }, signal);
      return await Promise.resolve(byteStream({ ...stream, close: () => stream[Symbol.dispose]() }));
    },
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
