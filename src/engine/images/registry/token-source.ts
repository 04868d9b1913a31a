import { StatusError } from '#base/errors.ts';
import { parseJson } from '#formats/oci-json.ts';
import type { Challenge } from '#formats/www-authenticate.ts';
import type { RegistryAuth } from '../images.ts';
import type { HttpRequest, HttpTransport } from './http-transport.ts';
import { readBody } from './read-body.ts';
import { parseErrorBody, RegistryRefusal } from './registry-error.ts';

export interface TokenRequest {
  readonly challenge: Challenge;
  readonly scopes: readonly string[];
  readonly auth: RegistryAuth | undefined;
  /** The registry itself was reached without TLS, so its token server may be too. */
  readonly plainAllowed: boolean;
  /** Also ask for a token that can be shown in the place of the password from now on. */
  readonly wantsIdentity: boolean;
}

export interface FetchedToken {
  readonly token: string;
  readonly identityToken: string | undefined;
}

const tokenBytesMost = 1024 * 1024;
const clientId = 'slipway';

/**
 * Gets a bearer token from the server that a challenge names: anonymously, with name and password (GET), or with an
 * identity token (POST, OAuth 2), as the distribution project's token authentication specifications say.
 */
export async function fetchToken(
  transport: HttpTransport,
  request: TokenRequest,
  signal: AbortSignal,
): Promise<FetchedToken> {
  const { challenge, auth } = request;
  const realm = realmOf(challenge, request.plainAllowed);
  const query = new URLSearchParams();
  const service = challenge.parameters.get('service');
  if (service !== undefined) query.set('service', service);
  const oauth = auth?.identityToken !== undefined && auth.identityToken !== '';
  if (oauth) query.set('scope', request.scopes.join(' '));
  else for (const scope of request.scopes) query.append('scope', scope);
  if (request.wantsIdentity && !oauth) query.set('offline_token', 'true');
  if (request.wantsIdentity && !oauth) query.set('client_id', clientId);
  const sent = oauth ? oauthRequest(realm, query, auth.identityToken ?? '') : plainRequest(realm, query, auth);
  const response = await transport.send(sent, signal);
  const body = await readBody(response, tokenBytesMost, `the token of ${realm.host}`);
  if (response.status !== 200) {
    const { host, pathname: path } = realm;
    throw new RegistryRefusal({ status: response.status, host, path, method: sent.method, ...parseErrorBody(body) });
  }
  const found = parseJson(body, `the token of ${realm.host}`);
  const token = tokenOf(found['token']) ?? tokenOf(found['access_token']);
  if (token !== undefined) return { token, identityToken: tokenOf(found['refresh_token']) };
  throw new StatusError('Damaged', `Cannot log in at ${realm.host}: its answer holds no token`);
}

function tokenOf(value: unknown): string | undefined {
  return typeof value === 'string' && /^[\x21-\x7e]+$/.test(value) ? value : undefined;
}

/** The field that sends name and password (RFC 7617). */
export function basicAuthorization(auth: RegistryAuth): string {
  return `Basic ${Buffer.from(`${auth.username ?? ''}:${auth.password ?? ''}`, 'utf8').toString('base64')}`;
}

export function hasPassword(auth: RegistryAuth | undefined): boolean {
  return auth?.username !== undefined && auth.username !== '' && auth.password !== undefined;
}

function plainRequest(realm: URL, query: URLSearchParams, auth: RegistryAuth | undefined): HttpRequest {
  const url = new URL(realm);
  for (const [name, value] of query) url.searchParams.append(name, value);
  if (auth === undefined || !hasPassword(auth)) return { method: 'GET', url, headers: {} };
  url.searchParams.set('account', auth.username ?? '');
  return { method: 'GET', url, headers: { authorization: basicAuthorization(auth) } };
}

function oauthRequest(url: URL, query: URLSearchParams, identityToken: string): HttpRequest {
  const form = new URLSearchParams(query);
  form.set('grant_type', 'refresh_token');
  form.set('refresh_token', identityToken);
  form.set('client_id', clientId);
  return {
    method: 'POST',
    url,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: Buffer.from(form.toString()),
  };
}

/** Credentials go to this address, so it must be one that TLS protects, unless the registry has none either. */
function realmOf(challenge: Challenge, plainAllowed: boolean): URL {
  const text = challenge.parameters.get('realm') ?? '';
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const usable = url?.protocol === 'https:' || (plainAllowed && url?.protocol === 'http:');
  if (url !== undefined && usable) return url;
  throw new StatusError('Damaged', `Cannot log in: the registry names no usable token server (realm "${text}")`);
}
