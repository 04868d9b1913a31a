import { StatusError } from '#base/errors.ts';

import type { Decoded, Decoder } from '../http/decode.ts';

/** What becomes of one field of a request: it is mapped to the engine, or refused unless it has its default. */
export interface Field<T> {
  readonly decode: Decoder<T>;
  /** What inspect shows when the client did not set it. */
  readonly unset: unknown;
  /** Why a value is refused; undefined when it means nothing more than the default. */
  readonly refusal?: (value: unknown) => string | undefined;
}

export type FieldTable = Readonly<Record<string, Field<unknown>>>;
export type DecodersOf<F extends FieldTable> = { readonly [K in keyof F]: F[K]['decode'] };
export type ValuesOf<F extends FieldTable> = { readonly [K in keyof F]?: Decoded<F[K]['decode']> };

/** A field whose meaning is translated. */
export function mapped<T>(decode: Decoder<T>, unset: unknown): Field<T> {
  return { decode, unset };
}

/** A field that may only be sent with a value that changes nothing. `reason` ends the sentence that refuses it. */
export function refused<T>(
  decode: Decoder<T>,
  unset: unknown,
  changesNothing: (value: T) => boolean,
  reason: string,
): Field<T> {
  return { decode, unset, refusal: (value) => (changesNothing(value as T) ? undefined : reason) };
}

export function decodersOf<F extends FieldTable>(table: F): DecodersOf<F> {
  return Object.fromEntries(Object.entries(table).map(([name, field]) => [name, field.decode])) as DecodersOf<F>;
}

/** Throws NotSupported for the first field with a value that we would otherwise ignore. */
export function checkRefusals<F extends FieldTable>(table: F, values: ValuesOf<F>, path: string): void {
  for (const [name, field] of Object.entries(table)) {
    const value: unknown = values[name];
    const reason = value === undefined ? undefined : field.refusal?.(value);
    if (reason === undefined) continue;
    const where = `${path}.${name}`;
    throw new StatusError('NotSupported', `Cannot honour ${where} ${JSON.stringify(value)}: ${reason}`, {
      problems: [{ path: where, message: reason }],
    });
  }
}

/** The values as inspect shows them: every field of the table, unset ones with their defaults. */
export function withDefaults(table: FieldTable, values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const shown = Object.entries(table).map(([name, field]) => [name, values[name] ?? field.unset]);
  return Object.fromEntries(shown.filter(([, value]) => value !== undefined)) as Record<string, unknown>;
}

export const isEmptyText = (value: string): boolean => value === '';
export const isZero = (value: number): boolean => value === 0;
export const isEmptyList = (value: readonly unknown[]): boolean => value.length === 0;
export const isEmptyMap = (value: object): boolean => Object.keys(value).length === 0;
export const isOneOf =
  (...words: readonly string[]) =>
  (value: string): boolean =>
    words.includes(value);
