import { isObject } from '#base/json.ts';

import { wellKnown, type UserInfo } from '../user.ts';

/** An object by name and uid. */
export interface Reference {
  readonly name: string;
  readonly uid: string;
}

/** Whom a service-account token stands for, and whose life it shares. */
export interface AccountClaims {
  readonly namespace: string;
  readonly account: Reference;
  readonly pod?: Reference;
  readonly node?: Reference;
  readonly secret?: Reference;
}

/** What a token says besides whom it stands for. Times are seconds since the epoch. */
export interface TokenClaims extends AccountClaims {
  readonly id: string;
  readonly issuer: string;
  readonly audiences: readonly string[];
  readonly issuedAt: number;
  readonly expiresAt: number;
}

/** As JSON, with the private claims of Kubernetes below `kubernetes.io`. */
export function claimsJson(claims: TokenClaims): Record<string, unknown> {
  const { namespace, account, pod, node, secret } = claims;
  const bound = Object.fromEntries(Object.entries({ node, pod, secret }).filter(([, value]) => value !== undefined));
  return {
    aud: claims.audiences,
    exp: claims.expiresAt,
    iat: claims.issuedAt,
    iss: claims.issuer,
    jti: claims.id,
    'kubernetes.io': { namespace, ...bound, serviceaccount: account },
    nbf: claims.issuedAt,
    sub: `${wellKnown.serviceAccountPrefix}${namespace}:${account.name}`,
  };
}

/** undefined when a claim is missing or has the wrong type. */
export function readClaims(json: Readonly<Record<string, unknown>>): TokenClaims | undefined {
  const own = json['kubernetes.io'];
  const { aud, exp, iat, iss, jti, sub } = json;
  if (!isObject(own) || typeof own['namespace'] !== 'string' || typeof iss !== 'string') return undefined;
  const account = referenceOf(own['serviceaccount']);
  if (account === undefined || typeof exp !== 'number' || typeof iat !== 'number') return undefined;
  if (sub !== `${wellKnown.serviceAccountPrefix}${own['namespace']}:${account.name}`) return undefined;
  const bound = ['pod', 'node', 'secret'].flatMap((name) => {
    const reference = referenceOf(own[name]);
    return reference === undefined ? [] : [[name, reference] as const];
  });
  return {
    namespace: own['namespace'],
    account,
    ...Object.fromEntries(bound),
    id: typeof jti === 'string' ? jti : '',
    issuer: iss,
    audiences: (Array.isArray(aud) ? aud : [aud]).filter((one) => typeof one === 'string'),
    issuedAt: typeof json['nbf'] === 'number' ? json['nbf'] : iat,
    expiresAt: exp,
  };
}

/** The user of a token. What it is bound to shows in extra fields. */
export function userOfClaims(claims: TokenClaims): UserInfo {
  const { namespace, account, pod, node, id } = claims;
  const extra: Record<string, readonly string[]> = {};
  const note = (key: string, value: string | undefined): void => {
    if (value !== undefined && value !== '') extra[`authentication.kubernetes.io/${key}`] = [value];
  };
  note('credential-id', id === '' ? undefined : `JTI=${id}`);
  note('node-name', node?.name);
  note('node-uid', node?.uid);
  note('pod-name', pod?.name);
  note('pod-uid', pod?.uid);
  return {
    name: `${wellKnown.serviceAccountPrefix}${namespace}:${account.name}`,
    uid: account.uid,
    groups: [wellKnown.serviceAccounts, `${wellKnown.serviceAccounts}:${namespace}`],
    extra,
  };
}

function referenceOf(value: unknown): Reference | undefined {
  if (!isObject(value) || typeof value['name'] !== 'string') return undefined;
  return { name: value['name'], uid: typeof value['uid'] === 'string' ? value['uid'] : '' };
}
