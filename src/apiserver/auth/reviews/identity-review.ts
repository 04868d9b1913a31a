import { StatusError } from '#base/errors.ts';
import { isObject } from '#base/json.ts';
import type { Resource } from '#kube/resource.ts';
import { badRequest } from '#kube/status.ts';

import { authenticated } from '../authn/authenticator-chain.ts';
import { authenticateToken, type TokenAuthenticator } from '../authn/bearer-token.ts';
import type { UserInfo } from '../user.ts';

/** Answers a SelfSubjectReview: who am I? */
export function reviewIdentity(review: Resource, user: UserInfo): Resource {
  return { ...review, status: { userInfo: userJson(user) } };
}

/** Answers a TokenReview: whose token is this, and is it for these audiences? */
export async function reviewToken(
  review: Resource,
  kinds: readonly TokenAuthenticator[],
  serverAudiences: readonly string[],
  signal: AbortSignal,
): Promise<Resource> {
  const spec = isObject(review['spec']) ? review['spec'] : {};
  const token = typeof spec['token'] === 'string' ? spec['token'] : '';
  if (token === '') throw badRequest('token is required for TokenReview in authentication');
  const asked = Array.isArray(spec['audiences']) ? spec['audiences'].map(String) : [];
  try {
    const found = await authenticateToken(kinds, token, asked.length === 0 ? serverAudiences : asked, signal);
    if (found === undefined) return { ...review, status: { user: {} } };
    const { user, audiences } = found;
    return { ...review, status: { authenticated: true, user: userJson(authenticated(user)), audiences } };
  } catch (error) {
    if (!(error instanceof StatusError && error.reason === 'Unauthorized')) throw error;
    return { ...review, status: { user: {}, error: error.message } };
  }
}

/** authentication/v1 UserInfo; empty parts are left out. */
export function userJson({ name, uid, groups, extra }: UserInfo): Record<string, unknown> {
  return {
    username: name,
    ...(uid === '' ? {} : { uid }),
    ...(groups.length === 0 ? {} : { groups }),
    ...(Object.keys(extra).length === 0 ? {} : { extra }),
  };
}
