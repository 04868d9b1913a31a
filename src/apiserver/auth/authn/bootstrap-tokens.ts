import { createHash, timingSafeEqual } from 'node:crypto';

import { StatusError } from '#base/errors.ts';
import { isObject } from '#base/json.ts';
import type { Resource } from '#kube/resource.ts';

import type { Objects } from '../objects.ts';
import type { TokenAuthenticator } from './bearer-token.ts';

const secretType = 'bootstrap.kubernetes.io/token';
const tokenForm = /^([a-z0-9]{6})\.([a-z0-9]{16})$/;
const extraGroupForm = /^system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]$/;

/** Tokens `ID.SECRET` for machines that join, kept as Secrets `bootstrap-token-ID` in kube-system. */
export function bootstrapTokens(objects: Objects, nowMs: () => number): TokenAuthenticator {
  return {
    authenticateToken: async (token, audiences, signal) => {
      const [, id = '', secret = ''] = tokenForm.exec(token) ?? [];
      if (id === '') return undefined;
      const name = `bootstrap-token-${id}`;
      const stored = await objects.get({ group: '', resource: 'secrets' }, 'kube-system', name, signal);
      const why = stored === undefined ? 'there is no such token' : refusal(stored, id, secret, nowMs());
      if (stored === undefined || why !== undefined)
        throw new StatusError('Unauthorized', `Cannot take bootstrap token "${id}": ${why}; ask for a new one`);
      const user = { name: `system:bootstrap:${id}`, uid: '', groups: groupsOf(stored), extra: {} };
      return { user, audiences };
    },
  };
}

function refusal(stored: Resource, id: string, secret: string, nowMs: number): string | undefined {
  if (stored['type'] !== secretType) return `its secret is not of type ${secretType}`;
  if (stored.metadata.deletionTimestamp !== undefined) return 'it is being deleted';
  if (!sameText(field(stored, 'token-secret'), secret)) return 'the second half is wrong';
  if (field(stored, 'token-id') !== id) return 'its secret names another token';
  const expiration = field(stored, 'expiration');
  // What is no time has passed: a token must not live for ever because of a slip.
  if (expiration !== '' && !(Date.parse(expiration) > nowMs)) return 'it has expired';
  return field(stored, 'usage-bootstrap-authentication') === 'true' ? undefined : 'it is not for authentication';
}

function groupsOf(stored: Resource): readonly string[] {
  const extra = field(stored, 'auth-extra-groups').split(',');
  return ['system:bootstrappers', ...extra.filter((group) => extraGroupForm.test(group))];
}

function field(secret: Resource, name: string): string {
  const value = isObject(secret['data']) ? secret['data'][name] : undefined;
  return typeof value === 'string' ? Buffer.from(value, 'base64').toString('utf8') : '';
}

/** Takes as long for any wrong text. */
function sameText(one: string, other: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return one !== '' && timingSafeEqual(digest(one), digest(other));
}
