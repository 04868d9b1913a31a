import { createHash, sign, verify, type KeyObject } from 'node:crypto';

import { isObject } from '#base/json.ts';

/** Algorithms of RFC 7518 that are taken, by the type of their key. */
const algorithms = { ec: 'ES256', rsa: 'RS256' } as const;
type Algorithm = (typeof algorithms)[keyof typeof algorithms];

export interface OpenedToken {
  readonly claims: Readonly<Record<string, unknown>>;
  /** The bytes that `verifyToken` checks. */
  readonly signed: string;
  readonly signature: Uint8Array;
  readonly algorithm: string;
  readonly keyId: string;
}

/** Tokens are short; what is longer is hostile. */
const lengthMost = 16 * 1024;

/** A compact JWS (RFC 7515 section 7.1) over claims. */
export function signToken(claims: Readonly<Record<string, unknown>>, privateKey: KeyObject, keyId: string): string {
  const header = { alg: algorithmOf(privateKey), kid: keyId };
  const signed = `${encode(header)}.${encode(claims)}`;
  const signature = sign('sha256', Buffer.from(signed, 'latin1'), { key: privateKey, dsaEncoding: 'ieee-p1363' });
  return `${signed}.${signature.toString('base64url')}`;
}

/** Takes a token apart without checking it; undefined when it is none. */
export function openToken(token: string): OpenedToken | undefined {
  const parts = token.length > lengthMost ? [] : token.split('.');
  const [head = '', body = '', signature = ''] = parts;
  const [header, claims] = [decode(head), decode(body)];
  if (parts.length !== 3 || !isObject(header) || !isObject(claims)) return undefined;
  return {
    claims,
    signed: `${head}.${body}`,
    signature: Buffer.from(signature, 'base64url'),
    algorithm: String(header['alg']),
    keyId: typeof header['kid'] === 'string' ? header['kid'] : '',
  };
}

/** Whether a key signed the token. The key says the algorithm; a token that names another one is refused. */
export function verifyToken(token: OpenedToken, publicKey: KeyObject): boolean {
  if (token.algorithm !== algorithmOf(publicKey)) return false;
  const key = { key: publicKey, dsaEncoding: 'ieee-p1363' } as const;
  return verify('sha256', Buffer.from(token.signed, 'latin1'), key, token.signature);
}

/** The name of a key: the hash of its DER, as kube-apiserver names keys. */
export function keyIdOf(publicKey: KeyObject): string {
  return createHash('sha256')
    .update(publicKey.export({ format: 'der', type: 'spki' }))
    .digest('base64url');
}

/** A set of public keys (RFC 7517) with which others check tokens. */
export function jsonWebKeys(publicKeys: readonly KeyObject[]): { readonly keys: readonly object[] } {
  return {
    keys: publicKeys.map((key) => ({
      use: 'sig',
      ...key.export({ format: 'jwk' }),
      kid: keyIdOf(key),
      alg: algorithmOf(key),
    })),
  };
}

export function algorithmOf(key: KeyObject): Algorithm {
  return key.asymmetricKeyType === 'rsa' ? algorithms.rsa : algorithms.ec;
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value), 'utf8').toString('base64url');
}

function decode(text: string): unknown {
  if (!/^[A-Za-z0-9_-]+$/.test(text)) return undefined;
  try {
    return JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
}
