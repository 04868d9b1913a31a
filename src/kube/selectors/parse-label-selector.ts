import { StatusError } from '#base/errors.ts';

import { faultText, invalid } from '../validation/faults.ts';
import { labelValueFaults, qualifiedNameFaults } from '../validation/names.ts';
import { type Requirement, wholeNumber } from './label-selector.ts';

/**
 * Reads the text form of a label selector, such as `app=web,tier in (a,b),!old` (apimachinery, labels/selector.go). Throws
 * InvalidArgument with upstream's words.
 */
export function parseLabelSelector(text: string): readonly Requirement[] {
  const tokens = scan(text);
  const requirements: Requirement[] = [];
  for (let next = tokens.peek(); next.kind !== 'end'; next = tokens.peek()) {
    if (next.kind !== 'word' && next.kind !== '!') throw expected(next.text, "!, identifier, or 'end of string'");
    try {
      requirements.push(parseRequirement(tokens));
    } catch (error) {
      if (!(error instanceof StatusError)) throw error;
      throw new StatusError('InvalidArgument', `unable to parse requirement: ${error.message}`);
    }
    const separator = tokens.take();
    if (separator.kind === 'end') break;
    if (separator.kind !== ',') throw expected(separator.text, "',' or 'end of string'");
    const after = tokens.peek();
    if (after.kind !== 'word' && after.kind !== '!') throw expected(after.text, "identifier after ','");
  }
  return requirements.toSorted((one, other) => (one.key < other.key ? -1 : Number(one.key > other.key)));
}

interface Token {
  readonly kind: 'word' | 'end' | 'wrong' | '!' | '=' | '==' | '!=' | '<' | '>' | '(' | ')' | ',';
  readonly text: string;
}

interface Tokens {
  peek(): Token;
  take(): Token;
}

const end: Token = { kind: 'end', text: '' };

function scan(text: string): Tokens {
  const tokens = [...text.matchAll(/[^\s=!(),<>]+|==|!=|[=!(),<>]/g)].map(([word]): Token => {
    const isSymbol = /^[=!(),<>]/.test(word);
    return { kind: isSymbol ? (word as Token['kind']) : 'word', text: word };
  });
  let position = 0;
  return {
    peek: () => tokens[position] ?? end,
    take: () => tokens[position++] ?? end,
  };
}

const binary: Readonly<Record<string, Requirement['operator']>> = {
  '=': '=',
  '==': '==',
  '!=': '!=',
  '>': 'gt',
  '<': 'lt',
  in: 'in',
  notin: 'notin',
};

function parseRequirement(tokens: Tokens): Requirement {
  const isNegated = tokens.peek().kind === '!';
  if (isNegated) tokens.take();
  const key = tokens.take();
  if (key.kind !== 'word') throw expected(key.text, 'identifier');
  const faults = qualifiedNameFaults(key.text);
  if (faults.length > 0) throw wrong('<nil>', key.text, faults.join('; '));
  if (isNegated) return { key: key.text, operator: '!', values: [] };
  const follows = tokens.peek();
  if (follows.kind === 'end' || follows.kind === ',') return { key: key.text, operator: 'exists', values: [] };
  const symbol = tokens.take();
  const operator = binary[symbol.text];
  if (operator === undefined) throw expected(symbol.text, "'=', '!=', '==', 'in', notin'");
  const values = operator === 'in' || operator === 'notin' ? parseSet(tokens) : [parseExactValue(tokens)];
  checkValues(key.text, operator, values);
  return { key: key.text, operator, values };
}

function checkValues(key: string, operator: Requirement['operator'], values: readonly string[]): void {
  for (const [index, value] of values.entries()) {
    const at = `values[${String(index)}]`;
    if ((operator === 'gt' || operator === 'lt') && !wholeNumber.test(value))
      throw wrong(at, value, "for 'Gt', 'Lt' operators, the value must be an integer");
    const faults = labelValueFaults(value);
    if (faults.length > 0) throw wrong(`${at}[${key}]`, value, faults.join('; '));
  }
}

function parseExactValue(tokens: Tokens): string {
  const next = tokens.peek();
  if (next.kind === 'end' || next.kind === ',') return '';
  const value = tokens.take();
  if (value.kind !== 'word') throw expected(value.text, 'identifier');
  return value.text;
}

/** The values in parentheses: sorted, each once; a missing one between commas is the empty value. */
function parseSet(tokens: Tokens): readonly string[] {
  const open = tokens.take();
  if (open.kind !== '(') throw new StatusError('InvalidArgument', `found '${open.text}' expected: '('`);
  const values = new Set<string>();
  let last = '';
  for (let token = tokens.take(); ; token = tokens.take()) {
    if (token.kind === 'word') {
      if (last === 'word') throw expected(token.text, "',' or ')'");
      values.add(token.text);
    } else if (token.kind === ',' || token.kind === ')') {
      if (last !== 'word') values.add('');
      if (token.kind === ')') return [...values].toSorted();
    } else if (last === '') throw expected(token.text, "',', ')' or identifier");
    else throw expected(token.text, last === 'word' ? "',' or ')'" : "',', or identifier");
    last = token.kind;
  }
}

function expected(found: string, what: string): StatusError {
  return new StatusError('InvalidArgument', `found '${found}', expected: ${what}`);
}

function wrong(path: string, value: string, why: string): StatusError {
  return new StatusError('InvalidArgument', `${path}: ${faultText(invalid(path, value, why))}`);
}
