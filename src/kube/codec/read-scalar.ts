import { messageOf } from '#base/errors.ts';
import { goDurationNs } from '#formats/go-duration.ts';
import { canonicalQuantity } from '#formats/quantity.ts';

import type { ScalarSchema, Schema } from '../schema.ts';
import { parseTime } from './go-time.ts';
import { wholeNumber, NumberLiteral } from './json-text.ts';

/** Where a reader tells of what is wrong: `save` goes on and keeps the first, `abort` throws. */
export interface ScalarReport {
  mismatch(value: unknown, schema: Schema): void;
  save(message: string): void;
  abort(message: string): never;
}

const int32Range = [-2_147_483_648n, 2_147_483_647n] as const;
const int64Range = [-(1n << 63n), (1n << 63n) - 1n] as const;

/** A scalar in its one form; undefined when it was told to be wrong. */
export function readScalar(value: unknown, schema: ScalarSchema, report: ScalarReport): unknown {
  switch (schema.scalar) {
    case 'string':
      return typeof value === 'string' ? value : mismatch();
    case 'boolean':
      return typeof value === 'boolean' ? value : mismatch();
    case 'int32':
      return readInteger(value, int32Range) ?? mismatch();
    case 'int64':
      return readInteger(value, int64Range) ?? mismatch();
    case 'double':
      return readDouble(value) ?? mismatch();
    case 'bytes':
      return typeof value === 'string' ? readBytes(value, report) : mismatch();
    case 'quantity':
      return readQuantity(value, report);
    case 'int-or-string':
      return typeof value === 'string' ? value : (readInteger(value, int32Range) ?? report.abort(noInteger(value)));
    case 'time':
    case 'micro-time':
      return readTime(value, schema.scalar, report);
    default:
      return typeof value === 'string' ? readDuration(value, report) : report.abort(noString(value));
  }
  function mismatch(): undefined {
    report.mismatch(value, schema);
    return undefined;
  }
}

/** Whole numbers as Go reads them: digits only. Throws InvalidArgument beyond 2^53. */
function readInteger(value: unknown, [least, most]: readonly [bigint, bigint]): number | undefined {
  if (value instanceof NumberLiteral) {
    if (!/^-?[0-9]{1,19}$/.test(value.text)) return undefined;
    const whole = BigInt(value.text);
    if (whole < least || whole > most) return undefined;
    return wholeNumber(value.text);
  }
  if (typeof value !== 'number' || !Number.isInteger(value)) return undefined;
  return BigInt(value) >= least && BigInt(value) <= most ? value : undefined;
}

function readDouble(value: unknown): number | undefined {
  const number = value instanceof NumberLiteral ? Number(value.text) : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined;
}

function readBytes(text: string, report: ScalarReport): string | undefined {
  const bare = text.replaceAll(/[\r\n]/g, '');
  const valid = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?/.exec(bare)?.[0].length ?? 0;
  if (valid === bare.length) return Buffer.from(bare, 'base64').toString('base64');
  const wrong = /[^A-Za-z0-9+/]/.exec(bare.slice(valid))?.index ?? bare.length - valid;
  report.save(`illegal base64 data at input byte ${String(valid + wrong)}`);
  return undefined;
}

function readQuantity(value: unknown, report: ScalarReport): string {
  const text = numberText(value) ?? (typeof value === 'string' ? value.trim() : undefined);
  try {
    return canonicalQuantity(text ?? '?');
  } catch (error) {
    return report.abort(messageOf(error));
  }
}

function readTime(value: unknown, form: 'time' | 'micro-time', report: ScalarReport): string {
  if (typeof value !== 'string') return report.abort(noString(value));
  const parsed = parseTime(value, form);
  return 'error' in parsed ? report.abort(parsed.error) : parsed.text;
}

function readDuration(text: string, report: ScalarReport): string {
  const nanos = goDurationNs(text);
  return nanos === undefined ? report.abort(`time: invalid duration ${JSON.stringify(text)}`) : durationText(nanos);
}

/** As Go writes durations: `1h30m0s`, `1.5s`, `10ms`, `0s`. */
export function durationText(nanos: number): string {
  const sign = nanos < 0 ? '-' : '';
  const rest = Math.abs(nanos);
  if (rest === 0) return '0s';
  if (rest < 1e3) return `${sign}${String(rest)}ns`;
  if (rest < 1e6) return `${sign}${String(rest / 1e3)}µs`;
  if (rest < 1e9) return `${sign}${String(rest / 1e6)}ms`;
  const [hours, minutes] = [Math.floor(rest / 3600e9), Math.floor(rest / 60e9) % 60];
  const seconds = `${String((rest % 60e9) / 1e9)}s`;
  if (hours > 0) return `${sign}${String(hours)}h${String(minutes)}m${seconds}`;
  return minutes > 0 ? `${sign}${String(minutes)}m${seconds}` : sign + seconds;
}

function noInteger(value: unknown): string {
  return `json: cannot unmarshal ${kindOf(value, true)} into Go value of type int32`;
}

function noString(value: unknown): string {
  return `json: cannot unmarshal ${kindOf(value, false)} into Go value of type string`;
}

function kindOf(value: unknown, withNumber: boolean): string {
  const number = numberText(value);
  if (number !== undefined) return withNumber ? `number ${number}` : 'number';
  if (typeof value === 'boolean') return 'bool';
  return Array.isArray(value) ? 'array' : typeof value === 'string' ? 'string' : 'object';
}

function numberText(value: unknown): string | undefined {
  if (value instanceof NumberLiteral) return value.text;
  return typeof value === 'number' ? String(value) : undefined;
}
