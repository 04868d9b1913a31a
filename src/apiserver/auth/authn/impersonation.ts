import { badRequest, forbidden } from '#kube/status.ts';

import type { Credentials } from '../authenticator.ts';
import type { Authorizer, ResourceAttributes } from '../authorizer.ts';
import { forbiddenText } from '../forbidden-text.ts';
import { wellKnown, type UserInfo } from '../user.ts';

const prefix = 'impersonate-';
const extraPrefix = `${prefix}extra-`;
const authenticationGroup = 'authentication.k8s.io';

/**
 * The user that the Impersonate headers of `user` name; `user` itself without such headers. Each part is authorized with the
 * verb impersonate. Throws ApiError Forbidden, or BadRequest for headers without a user.
 */
export function impersonated(user: UserInfo, headers: Credentials['headers'], authorizer: Authorizer): UserInfo {
  const wanted = wantedUser(headers);
  if (wanted === undefined) return user;
  for (const attributes of rightsFor(user, wanted)) {
    const decision = authorizer.authorize(attributes);
    if (decision.verdict === 'allow') continue;
    const { group, resource, name } = attributes;
    throw forbidden({ group, resource }, name, forbiddenText(attributes, decision.reason));
  }
  return { ...wanted, groups: completeGroups(wanted) };
}

function wantedUser(headers: Credentials['headers']): UserInfo | undefined {
  if (!hasAny(headers)) return undefined;
  const name = values(headers['impersonate-user']).join(',');
  const groups = values(headers['impersonate-group']);
  const uid = values(headers['impersonate-uid']).join(',');
  const extra: Record<string, readonly string[]> = {};
  for (const [header, value] of Object.entries(headers))
    if (header.startsWith(extraPrefix) && value !== undefined)
      extra[decode(header.slice(extraPrefix.length))] = values(value);
  if (name !== '') return { name, uid, groups, extra };
  if (groups.length === 0 && uid === '' && Object.keys(extra).length === 0) return undefined;
  throw badRequest('requested impersonation of groups, uid or extra fields without impersonating a user');
}

function hasAny(headers: Credentials['headers']): boolean {
  for (const header in headers) if (header.startsWith(prefix)) return true;
  return false;
}

/** What must be allowed, part by part. */
function* rightsFor(user: UserInfo, wanted: UserInfo): Generator<ResourceAttributes> {
  const right = (
    group: string,
    resource: string,
    name: string,
    subresource = '',
    namespace = '',
  ): ResourceAttributes => ({
    type: 'resource',
    user,
    verb: 'impersonate',
    group,
    version: 'v1',
    resource,
    subresource,
    namespace,
    name,
  });
  const account = accountOf(wanted.name);
  yield account === undefined
    ? right('', 'users', wanted.name)
    : right('', 'serviceaccounts', account.name, '', account.namespace);
  for (const group of wanted.groups) yield right('', 'groups', group);
  if (wanted.uid !== '') yield right(authenticationGroup, 'uids', wanted.uid);
  for (const [key, all] of Object.entries(wanted.extra))
    for (const value of all) yield right(authenticationGroup, 'userextras', value, key);
}

/** Groups that the user would have by its name; whoever asks for the anonymous user gets him whole. */
function completeGroups({ name, groups }: UserInfo): readonly string[] {
  const { anonymous, authenticated, serviceAccounts, unauthenticated } = wellKnown;
  if (name === anonymous) return groups.includes(unauthenticated) ? groups : [...groups, unauthenticated];
  const account = accountOf(name);
  const own =
    account !== undefined && groups.length === 0
      ? [serviceAccounts, `${serviceAccounts}:${account.namespace}`]
      : groups;
  return own.includes(authenticated) || own.includes(unauthenticated) ? own : [...own, authenticated];
}

/** Namespace and name in `system:serviceaccount:NAMESPACE:NAME`. */
function accountOf(userName: string): { readonly namespace: string; readonly name: string } | undefined {
  if (!userName.startsWith(wellKnown.serviceAccountPrefix)) return undefined;
  const [namespace = '', name = '', ...rest] = userName.slice(wellKnown.serviceAccountPrefix.length).split(':');
  return namespace === '' || name === '' || rest.length > 0 ? undefined : { namespace, name };
}

function values(header: string | readonly string[] | undefined): readonly string[] {
  if (header === undefined) return [];
  return typeof header === 'string' ? [header] : header;
}

/** Keys are percent-encoded where headers cannot hold them. */
function decode(key: string): string {
  try {
    return decodeURIComponent(key);
  } catch {
    return key;
  }
}
