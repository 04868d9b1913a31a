import { StatusError } from '#base/errors.ts';

import type { Authentication, Authenticator, Credentials } from '../authenticator.ts';

/** Finds out whose token it is: undefined for a token of another kind; throws Unauthorized for one of its own that is wrong. */
export interface TokenAuthenticator {
  authenticateToken(
    token: string,
    audiences: readonly string[],
    signal: AbortSignal,
  ): Promise<Authentication | undefined>;
}

/** WebSockets of browsers cannot set headers: they send the token as a subprotocol. */
const tokenProtocol = 'base64url.bearer.authorization.k8s.io.';

/** `Authorization: Bearer TOKEN`, or the token among the subprotocols of a WebSocket, asked of each kind of tokens in turn. */
export function bearerTokens(kinds: readonly TokenAuthenticator[], audiences: readonly string[]): Authenticator {
  return {
    authenticate: async (credentials, signal) => {
      const token = tokenOf(credentials);
      if (token === undefined) return undefined;
      const found = await authenticateToken(kinds, token, audiences, signal);
      if (found === undefined)
        throw new StatusError('Unauthorized', 'the bearer token is of no kind that is known here');
      return found;
    },
  };
}

/** The first kind that knows the token; undefined when none does. */
export async function authenticateToken(
  kinds: readonly TokenAuthenticator[],
  token: string,
  audiences: readonly string[],
  signal: AbortSignal,
): Promise<Authentication | undefined> {
  for (const kind of kinds) {
    const found = await kind.authenticateToken(token, audiences, signal);
    if (found !== undefined) return found;
  }
  return undefined;
}

function tokenOf({ headers }: Credentials): string | undefined {
  const [scheme = '', token = '', ...rest] = text(headers['authorization']).trim().split(/ +/);
  if (scheme.toLowerCase() === 'bearer' && token !== '' && rest.length === 0) return token;
  const protocols = text(headers['sec-websocket-protocol']).split(',');
  const carrier = protocols.map((protocol) => protocol.trim()).find((protocol) => protocol.startsWith(tokenProtocol));
  if (carrier === undefined) return undefined;
  const decoded = Buffer.from(carrier.slice(tokenProtocol.length), 'base64url').toString('utf8');
  return decoded === '' ? undefined : decoded;
}

function text(value: string | readonly string[] | undefined): string {
  return typeof value === 'object' ? value.join(',') : (value ?? '');
}
