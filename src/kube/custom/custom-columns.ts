import type { Column } from '../kind.ts';
import { age, nameColumn } from '../printing/columns.ts';
import type { CustomResourceColumnDefinition } from '../types/gen/apiextensions-v1.ts';
import { parseJsonPath } from './json-path.ts';

const ageAlone: readonly CustomResourceColumnDefinition[] = [
  {
    name: 'Age',
    type: 'date',
    jsonPath: '.metadata.creationTimestamp',
    description: 'Time since the object was created.',
  },
];

/** Columns that a definition says; without any the name and the age. */
export function customColumns(definitions: readonly CustomResourceColumnDefinition[] = ageAlone): readonly Column[] {
  return [nameColumn, ...definitions.map(column)];
}

function column(definition: CustomResourceColumnDefinition): Column {
  const { name = '', type = 'string', format = '', description = '', priority = 0, jsonPath = '' } = definition;
  const find = parseJsonPath(jsonPath);
  return {
    name,
    type: type as Column['type'],
    format,
    description,
    priority,
    cell: (object, nowMs) => cellOf(find?.(object) ?? [], type, nowMs),
  };
}

function cellOf(values: readonly unknown[], type: string, nowMs: number): string | number | boolean | null {
  const [value] = values;
  if (value === undefined || value === null) return null;
  switch (type) {
    case 'integer':
      return typeof value === 'number' ? Math.trunc(value) : null;
    case 'number':
      return typeof value === 'number' ? value : null;
    case 'boolean':
      return typeof value === 'boolean' ? value : null;
    case 'date':
      if (typeof value !== 'string') return null;
      return Number.isNaN(Date.parse(value)) ? '<invalid>' : age(value, nowMs);
    default:
      return values.map((one) => (typeof one === 'string' ? one : JSON.stringify(one))).join(' ');
  }
}
