import type { Authorizer, Decision } from './authorizer.ts';
import { wellKnown } from './user.ts';

/** The first of several that has an opinion decides; without one the reasons are told together. */
export function authorizerChain(links: readonly Authorizer[]): Authorizer {
  return {
    authorize: (attributes) => {
      const reasons: string[] = [];
      for (const link of links) {
        const decision = link.authorize(attributes);
        if (decision.verdict !== 'no-opinion') return decision;
        if (decision.reason !== '') reasons.push(decision.reason);
      }
      return { verdict: 'no-opinion', reason: reasons.join('\n') };
    },
  };
}

/** The group that may do everything, also when RBAC holds nothing yet. */
export function mastersAuthorizer(): Authorizer {
  const allow: Decision = { verdict: 'allow', reason: '' };
  const none: Decision = { verdict: 'no-opinion', reason: '' };
  return { authorize: ({ user }) => (user.groups.includes(wellKnown.masters) ? allow : none) };
}
