import { isObject } from '#base/json.ts';

import { goSyntax, goText } from '../patch/go-text.ts';
import type { ListSchema, ScalarSchema } from '../schema.ts';
import type { PathElement } from './path-element.ts';
import { fieldElement, printElement } from './path-element.ts';
import { elementOfItem, type Typing, typingOfField } from './typing.ts';

/** What is wrong with a configuration that shall be applied, each as `path: problem` in upstream's words. */
export function problemsOfApplied(value: unknown, typing: Typing): readonly string[] {
  const problems: string[] = [];
  visit(value, typing, '', problems);
  return problems;
}

function visit(value: unknown, typing: Typing, path: string, problems: string[]): void {
  const report = (problem: string): void => void problems.push(path === '' ? problem : `${path}: ${problem}`);
  if (value === null || typing.type === 'any' || typing.type === 'deduced') return;
  if (typing.type === 'scalar') {
    const problem = problemOfScalar(value, typing);
    if (problem !== undefined) report(problem);
  } else if (typing.type === 'list') {
    if (Array.isArray(value)) visitItems(value, typing, path, problems);
    else report(`expected list, got &{${goText(value)}}`);
  } else if (isObject(value)) visitFields(value, typing, path, problems);
  else report(`expected map, got &{${goText(value)}}`);
}

/** Upstream looks no further in a map that has an unknown field. */
function visitFields(map: Record<string, unknown>, typing: Typing, path: string, problems: string[]): void {
  for (const [name, value] of Object.entries(map)) {
    const type = typingOfField(typing, name);
    const at = path + printElement(fieldElement(name));
    if (type === undefined) return void problems.push(`${at}: field not declared in schema`);
    visit(value, type, at, problems);
  }
}

function visitItems(items: readonly unknown[], list: ListSchema, path: string, problems: string[]): void {
  const seen = new Set<PathElement>();
  for (const [index, item] of items.entries()) {
    let step: PathElement = `i:${String(index)}`;
    if (list.kind !== 'atomic') {
      const { element, problem } = elementOfItem(list, item);
      if (element === undefined) return void problems.push(`${path}: element ${String(index)}: ${problem}`);
      if (seen.has(element)) problems.push(`${path}: duplicate entries for key ${printElement(element)}`);
      seen.add(element);
      step = element;
    }
    visit(item, list.items, path + printElement(step), problems);
  }
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
