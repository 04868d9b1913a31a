import { createPublicKey, randomUUID, type KeyObject } from 'node:crypto';

import { isObject } from '#base/json.ts';
import { objectOf, textOf, textsOf } from '#kube/fields.ts';
import type { Resource } from '#kube/resource.ts';
import { badRequest, conflict, invalid, notFound, type StatusCause } from '#kube/status.ts';

import type { Objects } from '../objects.ts';
import { keyIdOf, signToken } from './json-web-token.ts';
import { claimsJson, type AccountClaims, type Reference } from './service-account-claims.ts';

/** What signs tokens, and for whom they are when nobody says. */
export interface TokenIssuer {
  readonly issuer: string;
  readonly audiences: readonly string[];
  readonly key: KeyObject;
  readonly nowMs: () => number;
}

const defaultSeconds = 3600;
const leastSeconds = 600;
const mostSeconds = 2 ** 32;

const kinds: Readonly<Record<string, string>> = { Pod: 'pods', Secret: 'secrets', Node: 'nodes' };

/**
 * Answers POST .../serviceaccounts/NAME/token: the TokenRequest (authentication.k8s.io/v1) with its status. Tokens live as long
 * as was asked; they are not extended as kube-apiserver does for clients that never read the file again.
 */
export async function createToken(
  from: TokenIssuer,
  objects: Objects,
  account: { readonly namespace: string; readonly name: string },
  request: Resource,
  signal: AbortSignal,
): Promise<Resource> {
  const { namespace, name } = account;
  const of = { group: '', resource: 'serviceaccounts' };
  const stored = await objects.get(of, namespace, name, signal);
  if (stored === undefined) throw notFound(of, name);
  const spec = objectOf(request['spec']);
  const seconds = typeof spec['expirationSeconds'] === 'number' ? spec['expirationSeconds'] : defaultSeconds;
  checkSeconds(seconds);
  const wanted = textsOf(spec['audiences']);
  const audiences = wanted.length === 0 ? from.audiences : wanted;
  const bound = await boundTo(spec['boundObjectRef'], objects, account, signal);
  const issuedAt = Math.floor(from.nowMs() / 1000);
  const expiresAt = issuedAt + seconds;
  const claims = { namespace, account: { name, uid: stored.metadata.uid ?? '' }, ...bound };
  const json = claimsJson({ ...claims, id: randomUUID(), issuer: from.issuer, audiences, issuedAt, expiresAt });
  const token = signToken(json, from.key, keyIdOf(createPublicKey(from.key)));
  return {
    ...request,
    metadata: { ...request.metadata, name, namespace, creationTimestamp: timeText(issuedAt) },
    spec: { ...spec, audiences, expirationSeconds: seconds },
    status: { token, expirationTimestamp: timeText(expiresAt) },
  };
}

function checkSeconds(seconds: number): void {
  const fail = (detail: string): never => {
    const message = `Invalid value: ${String(seconds)}: ${detail}`;
    const cause: StatusCause = { reason: 'FieldValueInvalid', message, field: 'spec.expirationSeconds' };
    throw invalid({ group: 'authentication.k8s.io', kind: 'TokenRequest' }, '', [cause]);
  };
  if (seconds < leastSeconds) fail('may not specify a duration less than 10 minutes');
  if (seconds > mostSeconds) fail('may not specify a duration larger than 2^32 seconds');
}

/** The object that the token shall share its life with. */
async function boundTo(
  reference: unknown,
  objects: Objects,
  account: { readonly namespace: string; readonly name: string },
  signal: AbortSignal,
): Promise<Pick<AccountClaims, 'pod' | 'node' | 'secret'>> {
  if (!isObject(reference)) return {};
  const [kind, name, uid] = [reference['kind'], reference['name'], reference['uid']].map(textOf);
  const resource = kinds[kind ?? ''];
  if (resource === undefined || (reference['apiVersion'] ?? 'v1') !== 'v1')
    throw badRequest(`cannot bind token to object of type ${kindText(reference)}`);
  const of = { group: '', resource };
  const object = await objects.get(of, resource === 'nodes' ? '' : account.namespace, name ?? '', signal);
  if (object === undefined) throw notFound(of, name ?? '');
  const found = { name: name ?? '', uid: object.metadata.uid ?? '' };
  if (uid !== '' && uid !== found.uid)
    throw conflict(
      of,
      found.name,
      `the UID in the bound object reference (${uid}) does not match the UID in record. The object might have been deleted and then recreated`,
    );
  if (kind === 'Node') return { node: found };
  return kind === 'Secret'
    ? { secret: found }
    : { pod: found, ...(await nodeOf(object, objects, account.name, signal)) };
}

/** The node of a pod, which must run as the account. */
async function nodeOf(
  pod: Resource,
  objects: Objects,
  account: string,
  signal: AbortSignal,
): Promise<{ node?: Reference }> {
  const spec = objectOf(pod['spec']);
  if (spec['serviceAccountName'] !== account)
    throw badRequest(
      `cannot bind token for serviceaccount ${JSON.stringify(account)} to pod running with different serviceaccount name.`,
    );
  const name = textOf(spec['nodeName']);
  if (name === '') return {};
  const node = await objects.get({ group: '', resource: 'nodes' }, '', name, signal);
  return { node: { name, uid: node?.metadata.uid ?? '' } };
}

function kindText({ apiVersion, kind }: Record<string, unknown>): string {
  return `${textOf(apiVersion)}, Kind=${textOf(kind)}`;
}

function timeText(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace('.000', '');
}
