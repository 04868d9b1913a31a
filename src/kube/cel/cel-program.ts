import { Environment } from '@marcbachmann/cel-js';

import { StatusError, messageOf } from '#base/errors.ts';

import { longestList, loopDepth } from './cel-cost.ts';
import { celValue } from './cel-value.ts';
import { registerKubernetesFunctions } from './kubernetes-functions.ts';

/** An expression that was parsed once. */
export interface CelProgram {
  readonly expression: string;
  /** Its value with these variables, which are JSON. Throws InvalidArgument when it fails or would take too long. */
  evaluate(variables: Readonly<Record<string, unknown>>): unknown;
}

/** Steps of loops in one evaluation at most; what might take more is refused before it begins. */
const stepsMost = 1_000_000;
const expressionLengthMost = 16 * 1024;
const limits = { maxAstNodes: 5000, maxDepth: 100, maxListElements: 1000, maxMapEntries: 1000, maxCallArguments: 32 };

/** Parses an expression of CEL with the functions of Kubernetes; all variables are dynamic. Throws InvalidArgument. */
export function celProgram(expression: string): CelProgram {
  if (expression.length > expressionLengthMost)
    throw failed('compile', expression, `it has more than ${String(expressionLengthMost)} characters`);
  const run = compile(expression);
  const depth = loopDepth(run.ast);
  return {
    expression,
    evaluate: (variables) => {
      const values = Object.fromEntries(Object.entries(variables).map(([name, value]) => [name, celValue(value)]));
      const most = Math.max(...Object.values(values).map(longestList), 1);
      if (depth > 0 && most ** depth > stepsMost)
        throw failed('evaluate', expression, 'operation cancelled: actual cost limit exceeded');
      try {
        return run(values) as unknown;
      } catch (error) {
        throw failed('evaluate', expression, messageOf(error), error);
      }
    },
  };
}

function compile(expression: string): ReturnType<Environment['parse']> {
  const environment = new Environment({
    unlistedVariablesAreDyn: true,
    homogeneousAggregateLiterals: false,
    enableOptionalTypes: true,
    limits,
  });
  registerKubernetesFunctions(environment);
  try {
    return environment.parse(expression);
  } catch (error) {
    throw failed('compile', expression, messageOf(error), error);
  }
}

function failed(verb: string, expression: string, state: string, cause?: unknown): StatusError {
  const shown = expression.length > 200 ? `${expression.slice(0, 200)}...` : expression;
  return new StatusError('InvalidArgument', `Cannot ${verb} CEL expression ${JSON.stringify(shown)}: ${state}`, {
    cause,
  });
}
