import { isDeepStrictEqual } from 'node:util';

import { EvaluationError, Optional, type ParseResult } from '@marcbachmann/cel-js';

import { messageOf, StatusError } from '#base/errors.ts';
import { isObject } from '#base/json.ts';

import { costMost, costOf, costShape, sizeOf, type CostShape } from '../cel/cost.ts';
import { celEnvironment } from '../cel/environment.ts';
import { parseExpression } from '../cel/parse-expression.ts';
import type { FieldError } from '../field-error.ts';
import { forbidden, invalid, notSupported, required } from '../validation/faults.ts';
import { celValue } from './cel-value.ts';
import { valuesSchema, type JsonSchema, type ValidationRule } from './json-schema.ts';
import { keyOfItem } from './list-items.ts';
import { undefinedField } from './undefined-field.ts';

type Faults = Iterable<FieldError>;

interface Expression {
  readonly run: ParseResult;
  readonly shape: CostShape;
  readonly usesOldSelf: boolean;
}

interface Rule {
  readonly definition: ValidationRule;
  readonly condition: Expression;
  readonly message: Expression | undefined;
}

const reasons = ['FieldValueInvalid', 'FieldValueForbidden', 'FieldValueRequired', 'FieldValueDuplicate'] as const;

/** Rules in CEL (x-kubernetes-validations) of a schema; expressions are compiled when a value first needs them. */
export class ValidationRules {
  readonly #environment = celEnvironment(['self', 'oldSelf']);
  readonly #duration = this.#environment.parse('duration(self)');
  readonly #known = new WeakMap<JsonSchema, readonly Rule[]>();

  /** What is wrong with a value that fits its schema. `old` is undefined for new objects. */
  *faults(value: unknown, schema: JsonSchema, old: unknown): Faults {
    yield* this.#valueFaults(value, { ...schema, 'x-kubernetes-embedded-resource': true }, old, '');
  }

  /** What is wrong with the rules themselves: they do not compile, are no conditions, name fields that are not there. */
  *definitionFaults(schema: JsonSchema, path: string): Faults {
    for (const [index, rule] of (schema['x-kubernetes-validations'] ?? []).entries())
      yield* this.#ruleFaults(rule, schema, `${path}.x-kubernetes-validations[${String(index)}]`);
    for (const [name, part] of Object.entries(schema.properties ?? {}))
      yield* this.definitionFaults(part, `${path}.properties[${name}]`);
    if (typeof schema.additionalProperties === 'object')
      yield* this.definitionFaults(schema.additionalProperties, `${path}.additionalProperties`);
    if (schema.items !== undefined) yield* this.definitionFaults(schema.items, `${path}.items`);
  }

  *#ruleFaults(rule: ValidationRule, schema: JsonSchema, path: string): Faults {
    const isTransition = /\boldSelf\b/.test(rule.rule);
    if (rule.rule.trim() === '') {
      yield required(`${path}.rule`, 'rule is not specified');
      return;
    }
    if (rule.message?.includes('\n') === true)
      yield invalid(`${path}.message`, rule.message, 'message must not contain line breaks');
    if (rule.optionalOldSelf !== undefined && !isTransition)
      yield invalid(`${path}.optionalOldSelf`, rule.optionalOldSelf, 'may not be set if oldSelf is not used in rule');
    if (rule.reason !== undefined && !(reasons as readonly string[]).includes(rule.reason))
      yield notSupported(`${path}.reason`, rule.reason, reasons);
    const wanted = [
      ['rule', rule.rule, 'bool'],
      ['messageExpression', rule.messageExpression, 'string'],
    ] as const;
    for (const [field, text, type] of wanted) {
      const fault = text === undefined ? undefined : this.#compileFault(text, schema, type, field);
      if (fault !== undefined) yield invalid(`${path}.${field}`, text, fault);
    }
  }

  #compileFault(text: string, schema: JsonSchema, type: 'bool' | 'string', field: string): string | undefined {
    const prefix = field === 'rule' ? 'compilation failed' : 'messageExpression compilation failed';
    try {
      const expression = parseExpression(this.#environment, text);
      const { valid, error, type: actual } = expression.check();
      if (!valid) return `${prefix}: ERROR: <input>: ${error?.message ?? ''}`;
      const missing = undefinedField(expression.ast, { self: { ...schema }, oldSelf: { ...schema } });
      if (missing !== undefined) return `${prefix}: ERROR: <input>: undefined field '${missing}'`;
      if (actual !== type && actual !== 'dyn')
        return field === 'rule'
          ? 'cel expression must evaluate to a bool'
          : 'messageExpression must evaluate to a string';
      return undefined;
    } catch (error) {
      return `${prefix}: ERROR: <input>: ${messageOf(error)}`;
    }
  }

  *#valueFaults(value: unknown, schema: JsonSchema, old: unknown, path: string): Faults {
    if (value === undefined || value === null) return;
    const isUnchanged = old !== undefined && isDeepStrictEqual(value, old);
    const rules = this.#rulesOf(schema);
    if (rules.length > 0 && !isUnchanged) yield* this.#apply(rules, value, schema, old, path);
    if (Array.isArray(value) && schema.items !== undefined) {
      const keyOf = keyOfItem(schema);
      const before = new Map(
        keyOf !== undefined && Array.isArray(old) ? old.map((item: unknown) => [keyOf(item), item]) : [],
      );
      for (const [index, item] of value.entries())
        yield* this.#valueFaults(
          item,
          schema.items,
          keyOf === undefined ? undefined : before.get(keyOf(item)),
          `${path}[${String(index)}]`,
        );
    }
    if (!isObject(value)) return;
    const values = valuesSchema(schema);
    for (const [name, part] of Object.entries(value)) {
      const own = Object.hasOwn(schema.properties ?? {}, name) ? schema.properties?.[name] : values;
      const before = isObject(old) && Object.hasOwn(old, name) ? old[name] : undefined;
      if (own !== undefined) yield* this.#valueFaults(part, own, before, path === '' ? name : `${path}.${name}`);
    }
  }

  *#apply(rules: readonly Rule[], value: unknown, schema: JsonSchema, old: unknown, path: string): Faults {
    const self = celValue(value, schema, this.#parseDuration);
    const oldSelf = old === undefined ? undefined : celValue(old, schema, this.#parseDuration);
    const size = sizeOf(value) + sizeOf(old);
    const where = path === '' ? '<nil>' : path;
    for (const { definition, condition, message } of rules) {
      const isOptional = definition.optionalOldSelf === true;
      if (condition.usesOldSelf && oldSelf === undefined && !isOptional) continue;
      if (costOf(condition.shape, size) > costMost) {
        yield forbidden(
          where,
          'validation failed due to running out of cost budget, no further validation rules will be run',
        );
        return;
      }
      const context = {
        self,
        oldSelf: isOptional ? (oldSelf === undefined ? Optional.none() : Optional.of(oldSelf)) : oldSelf,
      };
      const fault = runRule(definition, condition, message, context);
      if (fault !== undefined) yield ruleFault(definition, fieldOf(where, definition), schema.type ?? '', fault);
    }
  }

  readonly #parseDuration = (text: string): unknown => {
    try {
      return this.#duration({ self: text }) as unknown;
    } catch {
      return text;
    }
  };

  #rulesOf(schema: JsonSchema): readonly Rule[] {
    const definitions = schema['x-kubernetes-validations'];
    if (definitions === undefined) return [];
    // The root is a copy with each call: its list of rules is not.
    const key = definitions as unknown as JsonSchema;
    const before = this.#known.get(key);
    if (before !== undefined) return before;
    const made = definitions.map((definition) => ({
      definition,
      condition: this.#expression(definition.rule),
      message: definition.messageExpression === undefined ? undefined : this.#expression(definition.messageExpression),
    }));
    this.#known.set(key, made);
    return made;
  }

  #expression(text: string): Expression {
    const run = parseExpression(this.#environment, text);
    return { run, shape: costShape(run.ast), usesOldSelf: /\boldSelf\b/.test(text) };
  }
}

/** What the rule says of the value; undefined: nothing is wrong. */
function runRule(
  { rule, message }: ValidationRule,
  condition: Expression,
  messageExpression: Expression | undefined,
  context: Record<string, unknown>,
): string | undefined {
  const text = message?.trim() ?? '';
  try {
    if (condition.run(context) === true) return undefined;
  } catch (error) {
    return `${errorText(error)} evaluating rule: ${text === '' ? rule.trim() : text}`;
  }
  const fallback = text === '' ? `failed rule: ${rule.trim()}` : text;
  if (messageExpression === undefined) return fallback;
  try {
    const made: unknown = messageExpression.run(context);
    return typeof made === 'string' && made.trim() !== '' && !made.includes('\n') ? made.trim() : fallback;
  } catch {
    return fallback;
  }
}

function errorText(error: unknown): string {
  if (error instanceof EvaluationError) return error.summary.replace(/^No such key/, 'no such key');
  if (error instanceof StatusError) return error.message;
  return 'the expression cannot be evaluated';
}

/** As upstream has it, the value is only the name of its type. */
function ruleFault({ reason }: ValidationRule, path: string, typeName: string, detail: string): FieldError {
  const type = reasons.find((one) => one === reason) ?? 'FieldValueInvalid';
  if (type === 'FieldValueDuplicate') return { type, path, value: typeName, detail: '' };
  return type === 'FieldValueInvalid' ? { type, path, value: typeName, detail } : { type, path, detail };
}

function fieldOf(path: string, { fieldPath = '' }: ValidationRule): string {
  if (fieldPath === '') return path;
  return path === '<nil>' ? fieldPath.replace(/^\./, '') : path + fieldPath;
}
