import { StatusError } from '#base/errors.ts';
import { ApiError } from '#kube/status.ts';

import type { Authentication, Authenticator } from '../authenticator.ts';
import { wellKnown, type UserInfo } from '../user.ts';

/**
 * The first that knows the client says who it is. When one throws Unauthorized the others still may know; when none does,
 * the client is Unauthorized, also at places that are open to everybody.
 */
export function authenticatorChain(
  links: readonly Authenticator[],
  anonymous: Authenticator,
): { authenticate(...request: Parameters<Authenticator['authenticate']>): Promise<Authentication> } {
  // The same user is the same object each time, as far as the links remember: others keep what they found out about it.
  const complete = new WeakMap<UserInfo, UserInfo>();
  return {
    authenticate: async (credentials, signal) => {
      let refusal: unknown;
      for (const link of links) {
        try {
          const found = await link.authenticate(credentials, signal);
          if (found === undefined) continue;
          const user = complete.get(found.user) ?? authenticated(found.user);
          complete.set(found.user, user);
          return { ...found, user };
        } catch (error) {
          if (!(error instanceof StatusError && error.reason === 'Unauthorized')) throw error;
          refusal = error;
        }
      }
      const found = refusal === undefined ? await anonymous.authenticate(credentials, signal) : undefined;
      if (found !== undefined) return found;
      throw new ApiError('Unauthorized', 'Unauthorized', undefined, refusal);
    },
  };
}

/** A user with the group of all whose name is proven. */
export function authenticated(user: UserInfo): UserInfo {
  const { authenticated, unauthenticated } = wellKnown;
  if (user.groups.includes(authenticated) || user.groups.includes(unauthenticated)) return user;
  return { ...user, groups: [...user.groups, authenticated] };
}

/** Everybody, at some paths and below them. */
export function anonymousAuthenticator(paths: readonly string[]): Authenticator {
  const user = { name: wellKnown.anonymous, uid: '', groups: [wellKnown.unauthenticated], extra: {} };
  const isOpen = (path: string): boolean => paths.some((open) => path === open || path.startsWith(`${open}/`));
  return {
    authenticate: async ({ path }) => (isOpen(path) ? { user, audiences: [] } : undefined),
  };
}

/** What load balancers and monitoring ask without credentials. */
export const healthPaths = ['/livez', '/readyz', '/healthz'] as const;
