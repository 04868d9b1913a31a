import type { Authorizer } from '../authorizer.ts';
import { ruleAllows } from './policy-rule.ts';
import type { RbacIndex } from './rbac-index.ts';

/** Allows what a rule of a bound role allows; has no opinion about the rest. */
export function rbacAuthorizer(index: RbacIndex): Authorizer {
  return {
    authorize: (attributes) => {
      const errors = new Set<string>();
      const namespace = attributes.type === 'resource' ? attributes.namespace : '';
      for (const { rule, by, error } of index.grants(attributes.user, namespace)) {
        if (rule !== undefined && ruleAllows(rule, attributes))
          return { verdict: 'allow', reason: `RBAC: allowed by ${by}` };
        if (error !== undefined) errors.add(error);
      }
      return { verdict: 'no-opinion', reason: errors.size === 0 ? '' : `RBAC: ${errorText([...errors])}` };
    },
  };
}

/** Several errors as Go's aggregate prints them. */
function errorText(errors: readonly string[]): string {
  return errors.length === 1 ? (errors[0] ?? '') : `[${errors.join(', ')}]`;
}
