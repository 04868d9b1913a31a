import { fieldErrorTypes, type FieldError } from '../field-error.ts';

/** Makers of field errors in the words of apimachinery's field/errors.go. */
export function required(path: string, detail = ''): FieldError {
  return { type: 'FieldValueRequired', path, detail };
}

export function invalid(path: string, value: unknown, detail: string): FieldError {
  return { type: 'FieldValueInvalid', path, value: value ?? null, detail };
}

export function duplicate(path: string, value: unknown): FieldError {
  return { type: 'FieldValueDuplicate', path, value, detail: '' };
}

export function forbidden(path: string, detail: string): FieldError {
  return { type: 'FieldValueForbidden', path, detail };
}

export function notFound(path: string, value: unknown): FieldError {
  return { type: 'FieldValueNotFound', path, value, detail: '' };
}

export function notSupported(path: string, value: unknown, supported: readonly string[]): FieldError {
  const detail = supported.length === 0 ? '' : `supported values: ${supported.map(goQuoted).join(', ')}`;
  return { type: 'FieldValueNotSupported', path, value, detail };
}

export function tooLong(path: string, bytesMost: number): FieldError {
  return { type: 'FieldValueTooLong', path, detail: `may not be more than ${String(bytesMost)} bytes` };
}

export function tooMany(path: string, count: number, countMost: number): FieldError {
  return { type: 'FieldValueTooMany', path, value: count, detail: `must have at most ${String(countMost)} items` };
}

/** One error per text. */
export function invalids(path: string, value: unknown, details: readonly string[]): readonly FieldError[] {
  return details.map((detail) => invalid(path, value, detail));
}

/** What is wrong, without where: `Invalid value: "x": must be no more than 63 characters`. */
export function faultText(error: FieldError): string {
  const kind = fieldErrorTypes[error.type];
  const value = error.value === undefined ? '' : `: ${valueText(error.value)}`;
  return `${kind}${value}${error.detail === '' ? '' : `: ${error.detail}`}`;
}

/** Causes of a Status (meta/v1 StatusCause). */
export function causesOf(
  errors: readonly FieldError[],
): { readonly reason: string; readonly message: string; readonly field: string }[] {
  return errors.map((error) => ({ reason: error.type, message: faultText(error), field: error.path }));
}

/** Text in quotes as Go's `%q` prints it. */
export function goQuoted(text: string): string {
  return JSON.stringify(text).replace(/(?<=(?:^|[^\\])(?:\\\\)*)\\u00([0-7][0-9a-f])/g, (_, hex: string) => {
    if (hex === '07') return '\\a';
    return hex === '0b' ? '\\v' : `\\x${hex}`;
  });
}

function valueText(value: unknown): string {
  if (value === null) return '"null"';
  if (typeof value === 'string') return goQuoted(value);
  return JSON.stringify(value);
}
