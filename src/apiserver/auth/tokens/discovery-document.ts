import type { KeyObject } from 'node:crypto';

import { algorithmOf } from './json-web-token.ts';

/** Paths at which others find the keys of service-account tokens. */
export const discoveryPath = '/.well-known/openid-configuration';
export const keysPath = '/openid/v1/jwks';

/** OpenID Connect Discovery 1.0, the part that kube-apiserver gives. */
export function discoveryDocument(issuer: string, serverUrl: string, keys: readonly KeyObject[]): object {
  return {
    issuer,
    jwks_uri: `${serverUrl}${keysPath}`,
    response_types_supported: ['id_token'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: [...new Set(keys.map(algorithmOf))],
  };
}
