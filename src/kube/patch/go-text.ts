import { isObject } from '#base/json.ts';

/** A JSON value as Go prints it with %v, which upstream's errors do: `map[a:1 b:[x <nil>]]`. */
export function goText(value: unknown): string {
  if (value === undefined || value === null) return '<nil>';
  if (Array.isArray(value)) return `[${value.map(goText).join(' ')}]`;
  if (isObject(value)) {
    const keys = Object.keys(value).toSorted();
    return `map[${keys.map((key) => `${key}:${goText(value[key])}`).join(' ')}]`;
  }
  return typeof value === 'number' ? goNumber(value) : typeof value === 'string' ? value : JSON.stringify(value);
}

/** The same with %#v, as for values of a wrong type: `map[string]interface {}{"a":1}`. */
export function goSyntax(value: unknown): string {
  if (value === undefined || value === null) return 'interface {}(nil)';
  if (Array.isArray(value)) return `[]interface {}{${value.map(goSyntax).join(', ')}}`;
  if (isObject(value)) {
    const keys = Object.keys(value).toSorted();
    return `map[string]interface {}{${keys.map((key) => `${JSON.stringify(key)}:${goSyntax(value[key])}`).join(', ')}}`;
  }
  return typeof value === 'number' ? goNumber(value) : JSON.stringify(value);
}

/** The type of a decoded JSON value in Go. */
export function goType(value: unknown): string {
  if (value === undefined || value === null) return '%!s(<nil>)';
  if (Array.isArray(value)) return '[]interface {}';
  if (isObject(value)) return 'map[string]interface {}';
  if (typeof value === 'boolean') return 'bool';
  return typeof value === 'string' ? 'string' : Number.isInteger(value) ? 'int64' : 'float64';
}

/** Whole numbers are int64 in Go; others are printed with %g: an exponent has two digits at least. */
function goNumber(value: number): string {
  return String(value).replace(/e([+-])(\d)$/, 'e$10$2');
}
