import type { Call } from '../http/call.ts';
import type { ResourceRequest } from '../http/request-info.ts';
import { forbiddenError } from '../auth/forbidden-text.ts';
import type { ApiContext } from './context.ts';

/** Throws Forbidden when somebody who may change an object may not create it: an update or apply of what is not there. */
export function requireCreate({ auth }: ApiContext, { info, user }: Call<ResourceRequest>): void {
  const attributes = { ...info, user, verb: 'create', subresource: '' } as const;
  const { verdict, reason } = auth.authorizer.authorize(attributes);
  if (verdict !== 'allow') throw forbiddenError(attributes, reason);
}
