import { messageOf } from '#base/errors.ts';

import type { CompiledPolicy } from './compiled-policy.ts';
import type { Condition, Variables } from './policy-variables.ts';

/** One validation that did not hold, or could not be told. */
export interface Violation {
  readonly message: string;
  /** Reason of the Status. */
  readonly reason: string;
  /** The expression failed; then failurePolicy says whether it counts. */
  readonly isFailure: boolean;
}

export interface Evaluation {
  readonly violations: readonly Violation[];
  readonly auditAnnotations: Readonly<Record<string, string>>;
}

const annotationLengthMost = 10 * 1024;

/** Evaluates the validations of a policy with the variables of a request; pure. */
export function evaluatePolicy(compiled: CompiledPolicy, request: Variables): Evaluation {
  const variables = { ...request, variables: namedValues(compiled.variables, request) };
  const violations: Violation[] = [];
  for (const { program, message, messageProgram, reason } of compiled.validations) {
    try {
      if (program.evaluate(variables) === true) continue;
      const own = messageProgram === undefined ? '' : textOf(messageProgram, variables);
      const text = own || message || `failed expression: ${program.expression.trim()}`;
      violations.push({ message: text, reason, isFailure: false });
    } catch (error) {
      const text = `expression '${program.expression.trim()}' resulted in error: ${messageOf(error)}`;
      violations.push({ message: text, reason: 'Invalid', isFailure: true });
    }
  }
  const notes = compiled.auditAnnotations.map(({ name, program }) => [name, textOf(program, variables)] as const);
  return { violations, auditAnnotations: Object.fromEntries(notes.filter(([, text]) => text !== '')) };
}

/** Variables in their order, each seeing those before it; one that fails fails whoever uses it. */
function namedValues(rows: readonly Condition[], request: Variables): Readonly<Record<string, unknown>> {
  const values: Record<string, unknown> = {};
  for (const { name, program } of rows) {
    try {
      values[name] = plain(program.evaluate({ ...request, variables: { ...values } }));
    } catch {
      // It is absent then, and an expression that uses it says so.
    }
  }
  return values;
}

/** An expression that gives a text; anything else, and an error, count as none. */
function textOf(program: CompiledPolicy['conditions'][number]['program'], variables: Variables): string {
  try {
    const value = program.evaluate(variables);
    return typeof value === 'string' ? value.trim().slice(0, annotationLengthMost) : '';
  } catch {
    return '';
  }
}

/** A value of CEL as JSON, so that it can be a variable of the next expression. */
function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value);
  if (Array.isArray(value)) return value.map(plain);
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, inner]) => [String(key), plain(inner)]));
  return value;
}
