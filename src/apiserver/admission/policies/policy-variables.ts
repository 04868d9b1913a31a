import { messageOf } from '#base/errors.ts';
import type { CelProgram } from '#kube/cel/cel-program.ts';
import type { Resource } from '#kube/resource.ts';

import { userJson } from '../../auth/reviews/identity-review.ts';
import type { AdmissionRequest } from '../admission.ts';

/** What expressions of policies and webhooks see (KEP 3488): object, oldObject, request, params, namespaceObject, variables. */
export type Variables = Readonly<Record<string, unknown>>;

export function requestVariables(
  request: AdmissionRequest,
  namespace: Resource | undefined,
  params: unknown,
): Variables {
  const { kind, resource, subresource, name, namespace: where, operation, user, isDryRun, options } = request;
  return {
    object: request.object ?? null,
    oldObject: request.oldObject ?? null,
    params: params ?? null,
    namespaceObject: namespace ?? null,
    variables: {},
    request: {
      kind,
      resource,
      subResource: subresource,
      requestKind: kind,
      requestResource: resource,
      requestSubResource: subresource,
      name,
      namespace: where,
      operation,
      userInfo: userJson(user),
      dryRun: isDryRun,
      options,
    },
  };
}

/** A named condition with its program. */
export interface Condition {
  readonly name: string;
  readonly program: CelProgram;
}

/**
 * Whether all conditions hold. The first that is false decides; one that fails throws Error with its name only when none is
 * false, since then nobody can say whether the others would let the request through.
 */
export function conditionsHold(conditions: readonly Condition[], variables: Variables): boolean {
  let failure: string | undefined;
  for (const { name, program } of conditions) {
    try {
      if (program.evaluate(variables) !== true) return false;
    } catch (error) {
      failure ??= `matchCondition ${JSON.stringify(name)}: ${messageOf(error)}`;
    }
  }
  if (failure !== undefined) throw new Error(failure);
  return true;
}
