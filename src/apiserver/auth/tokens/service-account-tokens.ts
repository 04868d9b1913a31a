import { createPublicKey, type KeyObject } from 'node:crypto';

import { StatusError } from '#base/errors.ts';
import type { Resource } from '#kube/resource.ts';

import type { TokenAuthenticator } from '../authn/bearer-token.ts';
import type { Objects } from '../objects.ts';
import { keyIdOf, openToken, verifyToken } from './json-web-token.ts';
import type { UserInfo } from '../user.ts';
import { readClaims, userOfClaims, type Reference, type TokenClaims } from './service-account-claims.ts';

/** A token outlives what it is bound to by as long, so that a pod may still end in order. */
const deletedLeewayMs = 60_000;

/** Signatures that were checked are remembered up to this many tokens. */
const verifiedMost = 1024;

/**
 * Tokens that this cluster signed. Each is checked against the store: the account, and the pod, node or secret that it is
 * bound to, must be there with the same uid.
 */
export function serviceAccountTokens(
  issuer: string,
  keys: readonly KeyObject[],
  objects: Objects,
  nowMs: () => number,
): TokenAuthenticator {
  const publicKeys = keys.map((key) => (key.type === 'private' ? createPublicKey(key) : key));
  const byId = new Map(publicKeys.map((key) => [keyIdOf(key), key]));
  const verified = new Map<string, Verified>();
  const verify = (token: string): Verified | undefined => {
    const known = verified.get(token);
    if (known !== undefined) return known;
    const opened = openToken(token);
    const claims = opened === undefined ? undefined : readClaims(opened.claims);
    if (opened === undefined || claims?.issuer !== issuer) return undefined;
    const key = byId.get(opened.keyId);
    const candidates = key === undefined ? publicKeys : [key];
    if (!candidates.some((one) => verifyToken(opened, one))) throw invalid('it is not signed by this cluster');
    if (verified.size >= verifiedMost) verified.clear();
    const found = { claims, user: userOfClaims(claims) };
    verified.set(token, found);
    return found;
  };
  return {
    authenticateToken: async (token, audiences, signal) => {
      const found = verify(token);
      if (found === undefined) return undefined;
      const { claims, user } = found;
      const common = audiences.filter((one) => claims.audiences.includes(one));
      if (common.length === 0)
        throw invalid(`it is for ${JSON.stringify(claims.audiences)}, not for ${JSON.stringify(audiences)}`);
      if (nowMs() >= claims.expiresAt * 1000) throw invalid('it has expired');
      if (nowMs() < claims.issuedAt * 1000) throw invalid('it is not valid yet: the clock went back');
      await checkLiving(claims, objects, nowMs(), signal);
      return { user, audiences: common };
    },
  };
}

interface Verified {
  readonly claims: TokenClaims;
  readonly user: UserInfo;
}

/** Throws Unauthorized when the account or what the token is bound to is gone, or another of the same name has come. */
async function checkLiving(claims: TokenClaims, objects: Objects, nowMs: number, signal: AbortSignal): Promise<void> {
  const { namespace, account, pod, node, secret } = claims;
  const check = async (resource: string, reference: Reference | undefined, where: string): Promise<void> => {
    if (reference === undefined) return;
    const object = await objects.get({ group: '', resource }, where, reference.name, signal);
    if (!isLiving(object, reference, nowMs)) throw invalid(`${resource} "${reference.name}" is not there any more`);
  };
  await check('serviceaccounts', account, namespace);
  await check('pods', pod, namespace);
  await check('secrets', secret, namespace);
  // A pod that was bound to a node vouches for it.
  if (pod === undefined) await check('nodes', node, '');
}

function isLiving(object: Resource | undefined, { uid }: Reference, nowMs: number): boolean {
  if (object === undefined || object.metadata.uid !== uid) return false;
  const deleted = object.metadata.deletionTimestamp;
  return deleted === undefined || Date.parse(deleted) + deletedLeewayMs > nowMs;
}

function invalid(why: string): StatusError {
  return new StatusError('Unauthorized', `Cannot take service account token: ${why}; ask for a new one`);
}
