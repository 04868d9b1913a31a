import { StatusError } from '#base/errors.ts';
import { discardBody } from './read-body.ts';
import { RegistryRefusal } from './registry-error.ts';
import type { RegistrySession } from './registry-session.ts';

/**
 * Checks the session's credentials with its registry; returns what can be shown in the place of the password from now on,
 * if the registry gives such. Throws Unauthorized, with the registry's words.
 */
export async function logIn(session: RegistrySession, signal: AbortSignal): Promise<string | undefined> {
  try {
    const request = { method: 'GET', target: '/v2/', scopes: [], expected: [200] } as const;
    await discardBody(await session.request(request, signal));
    return session.identityToken;
  } catch (error) {
    if (!(error instanceof RegistryRefusal)) throw error;
    const { status, code, message, host } = error.refusal;
    if (status !== 401 && status !== 403) throw error.toStatusError();
    const said = [code, message].filter((part) => part !== '').join(': ');
    const why = said === '' ? 'incorrect username or password' : said;
    throw new StatusError('Unauthorized', `login attempt to ${host} failed: unauthorized: ${why}`);
  }
}
