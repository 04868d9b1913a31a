import { createPublicKey, type KeyObject } from 'node:crypto';

import { StatusError } from '#base/errors.ts';
import { objectOf, textOf } from '#kube/fields.ts';
import type { Resource } from '#kube/resource.ts';

import type { TokenAuthenticator } from '../authn/bearer-token.ts';
import type { Objects } from '../objects.ts';
import { wellKnown } from '../user.ts';
import { keyIdOf, openToken, signToken, verifyToken } from './json-web-token.ts';
import { userOfClaims } from './service-account-claims.ts';

/** Who made tokens that are kept in secrets (serviceaccount/legacy.go). */
const issuer = 'kubernetes/serviceaccount';
const names = {
  namespace: `${issuer}/namespace`,
  secret: `${issuer}/secret.name`,
  account: `${issuer}/service-account.name`,
  uid: `${issuer}/service-account.uid`,
} as const;

/** A token of an account that is good for as long as the secret that it is kept in. */
export function tokenForSecret(account: Resource, secret: Resource, key: KeyObject): string {
  const { name = '', namespace = '', uid = '' } = account.metadata;
  const claims = {
    iss: issuer,
    [names.namespace]: namespace,
    [names.secret]: secret.metadata.name ?? '',
    [names.account]: name,
    [names.uid]: uid,
    sub: `${wellKnown.serviceAccountPrefix}${namespace}:${name}`,
  };
  return signToken(claims, key, keyIdOf(createPublicKey(key)));
}

/** Tokens that are kept in secrets; they are for this server alone, which knows itself by `own`. */
export function secretTokens(keys: readonly KeyObject[], own: readonly string[], objects: Objects): TokenAuthenticator {
  return {
    authenticateToken: async (token, audiences, signal) => {
      const opened = openToken(token);
      if (opened?.claims['iss'] !== issuer) return undefined;
      if (!keys.some((key) => verifyToken(opened, key))) throw invalid('it is not signed by this cluster');
      const common = audiences.filter((one) => own.includes(one));
      if (common.length === 0) throw invalid(`it is for this server, not for ${JSON.stringify(audiences)}`);
      const [namespace, name, uid, secretName] = [names.namespace, names.account, names.uid, names.secret].map(
        (claim) => textOf(opened.claims[claim]),
      ) as [string, string, string, string];
      const secret = await objects.get({ group: '', resource: 'secrets' }, namespace, secretName, signal);
      const kept = Buffer.from(textOf(objectOf(secret?.['data'])['token']), 'base64').toString('latin1');
      if (secret?.metadata.deletionTimestamp !== undefined || kept !== token)
        throw invalid(`it is not in secret "${secretName}" any more`);
      const account = await objects.get({ group: '', resource: 'serviceaccounts' }, namespace, name, signal);
      if (account === undefined || account.metadata.uid !== uid)
        throw invalid(`serviceaccounts "${name}" is not there any more`);
      const user = userOfClaims({
        namespace,
        account: { name, uid },
        id: '',
        issuer,
        audiences: common,
        issuedAt: 0,
        expiresAt: Infinity,
      });
      return { user, audiences: common };
    },
  };
}

function invalid(why: string): StatusError {
  return new StatusError('Unauthorized', `Cannot take service account token: ${why}; ask for a new one`);
}
