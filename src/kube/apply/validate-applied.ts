import { isObject } from '#base/json.ts';

import { goSyntax, goText } from '../patch/go-text.ts';
import type { ListSchema, ScalarSchema } from '../schema.ts';
import type { PathElement } from './path-element.ts';
import { fieldElement, printElement } from './path-element.ts';
import { elementOfItem, type Typing, typingOfField } from './typing.ts';

/** What is wrong with a configuration that shall be applied, each as `path: problem` in upstream's words. */
export function problemsOfApplied(value: unknown, typing: Typing): readonly string[] {
  const problems: string[] = [];
  visit(value, typing, undefined, problems);
  return problems;
}

/** Where a value is; only written out for what is wrong. */
interface At {
  readonly above: At | undefined;
  readonly element: PathElement;
}

function visit(value: unknown, typing: Typing, at: At | undefined, problems: string[]): void {
  const report = (problem: string): void => void problems.push(`${prefixOf(at)}${problem}`);
  if (value === null || typing.type === 'any' || typing.type === 'deduced') return;
  if (typing.type === 'scalar') {
    const problem = problemOfScalar(value, typing);
    if (problem !== undefined) report(problem);
  } else if (typing.type === 'list') {
    if (Array.isArray(value)) visitItems(value, typing, at, problems);
    else report(`expected list, got &{${goText(value)}}`);
  } else if (isObject(value)) visitFields(value, typing, at, problems);
  else report(`expected map, got &{${goText(value)}}`);
}

/** Upstream looks no further in a map that has an unknown field. */
function visitFields(map: Record<string, unknown>, typing: Typing, at: At | undefined, problems: string[]): void {
  for (const [name, value] of Object.entries(map)) {
    const type = typingOfField(typing, name);
    const here = { above: at, element: fieldElement(name) };
    if (type === undefined) return void problems.push(`${prefixOf(here)}field not declared in schema`);
    visit(value, type, here, problems);
  }
}

function visitItems(items: readonly unknown[], list: ListSchema, at: At | undefined, problems: string[]): void {
  const seen = new Set<PathElement>();
  for (const [index, item] of items.entries()) {
    let step: PathElement = `i:${String(index)}`;
    if (list.kind !== 'atomic') {
      const { element, problem } = elementOfItem(list, item);
      if (element === undefined) return void problems.push(`${prefixOf(at)}element ${String(index)}: ${problem}`);
      if (seen.has(element)) problems.push(`${prefixOf(at)}duplicate entries for key ${printElement(element)}`);
      seen.add(element);
      step = element;
    }
    visit(item, list.items, { above: at, element: step }, problems);
  }
}

function prefixOf(at: At | undefined): string {
  let path = '';
  for (let one = at; one !== undefined; one = one.above) path = printElement(one.element) + path;
  return path === '' ? '' : `${path}: `;
}

function problemOfScalar(value: unknown, { scalar }: ScalarSchema): string | undefined {
  if (scalar === 'quantity' || scalar === 'int-or-string') return undefined;
  if (scalar === 'boolean') return typeof value === 'boolean' ? undefined : `expected boolean, got &{${goText(value)}}`;
  if (scalar === 'int32' || scalar === 'int64' || scalar === 'double')
    return typeof value === 'number' ? undefined : 'expected numeric (int or float), got *value.valueUnstructured';
  return typeof value === 'string'
    ? undefined
    : `expected string, got &value.valueUnstructured{Value:${goSyntax(value)}}`;
}
