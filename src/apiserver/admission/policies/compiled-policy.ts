import { celProgram, type CelProgram } from '#kube/cel/cel-program.ts';
import type { ValidatingAdmissionPolicy } from '#kube/types/gen/admissionregistration-v1.ts';

import type { Condition } from './policy-variables.ts';

/** A ValidatingAdmissionPolicy whose expressions were compiled; each that cannot be is an Error of its policy. */
export interface CompiledPolicy {
  readonly policy: ValidatingAdmissionPolicy;
  readonly conditions: readonly Condition[];
  readonly variables: readonly Condition[];
  readonly validations: readonly CompiledValidation[];
  readonly auditAnnotations: readonly Condition[];
}

interface CompiledValidation {
  readonly program: CelProgram;
  readonly message: string;
  readonly messageProgram: CelProgram | undefined;
  readonly reason: string;
}

/** Throws InvalidArgument for an expression that is none. */
export function compilePolicy(policy: ValidatingAdmissionPolicy): CompiledPolicy {
  const { matchConditions = [], variables = [], validations = [], auditAnnotations = [] } = policy.spec ?? {};
  const condition = ({ name = '', expression = '' }: { name?: string; expression?: string }): Condition => ({
    name,
    program: celProgram(expression),
  });
  return {
    policy,
    conditions: matchConditions.map(condition),
    variables: variables.map(condition),
    validations: validations.map(({ expression = '', message = '', messageExpression = '', reason = '' }) => ({
      program: celProgram(expression),
      message,
      messageProgram: messageExpression === '' ? undefined : celProgram(messageExpression),
      reason: reason === '' ? 'Invalid' : reason,
    })),
    auditAnnotations: auditAnnotations.map(({ key = '', valueExpression = '' }) =>
      condition({ name: key, expression: valueExpression }),
    ),
  };
}
