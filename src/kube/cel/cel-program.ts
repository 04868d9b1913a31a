import type { Environment } from '@marcbachmann/cel-js';

import { StatusError, messageOf } from '#base/errors.ts';

import { costMost, costOf, costShape, sizeOf } from './cost.ts';
import { celValue } from './cel-value.ts';
import { celEnvironment } from './environment.ts';
import { parseExpression } from './parse-expression.ts';

/** An expression that was parsed once. */
export interface CelProgram {
  readonly expression: string;
  /** Its value with these variables, which are JSON. Throws InvalidArgument when it fails or would take too long. */
  evaluate(variables: Readonly<Record<string, unknown>>): unknown;
}

const expressionLengthMost = 16 * 1024;

/** Parses an expression of CEL with the functions of Kubernetes; all variables are dynamic. Throws InvalidArgument. */
export function celProgram(expression: string): CelProgram {
  if (expression.length > expressionLengthMost)
    throw failed('compile', expression, `it has more than ${String(expressionLengthMost)} characters`);
  const run = compile(expression);
  const shape = costShape(run.ast);
  return {
    expression,
    evaluate: (variables) => {
      const values = Object.fromEntries(Object.entries(variables).map(([name, value]) => [name, celValue(value)]));
      if (costOf(shape, sizeOf(variables)) > costMost)
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
  const environment = celEnvironment('any');
  try {
    return parseExpression(environment, expression);
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
