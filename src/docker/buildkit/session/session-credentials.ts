import { StatusError } from '#base/errors.ts';
import type { RegistryAuth } from '#engine/images/images.ts';

import { credentialsRequest, credentialsResponse } from '../messages/session-messages.ts';
import type { ClientSession } from './client-session.ts';

const method = '/moby.filesync.v1.Auth/Credentials';
/** What clients call Docker Hub when they look for credentials. */
const hubHost = 'registry-1.docker.io';

/** The client's credentials for a registry; undefined when it has none. */
export async function sessionCredentials(
  session: ClientSession,
  registry: string,
  signal: AbortSignal,
): Promise<RegistryAuth | undefined> {
  if (!session.serves(method)) return undefined;
  const messages = { request: credentialsRequest, reply: credentialsResponse };
  const host = registry === 'docker.io' ? hubHost : registry;
  const { username, secret } = await session.channel
    .call(method, messages, { host }, signal)
    .catch((error: unknown) => {
      // The client's store of credentials may be broken; what is public is pulled all the same.
      if (error instanceof StatusError && error.reason !== 'Unavailable') return { username: '', secret: '' };
      throw error;
    });
  if (secret === '') return undefined;
  return username === '' ? { identityToken: secret } : { username, password: secret };
}
