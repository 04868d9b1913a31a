import { StatusError } from '#base/errors.ts';

/**
 * A quantity of the Kubernetes API (apimachinery, api/resource): exact to a billionth, with the notation it is printed in.
 */
export interface Quantity {
  readonly nanos: bigint;
  readonly format: 'DecimalSI' | 'BinarySI' | 'DecimalExponent';
}

const nano = 1_000_000_000n;
/** The largest value; larger ones become this one. */
const largestNanos = (2n ** 63n - 1n) * nano;
/** Digits before the point that can matter, and powers of ten that can; more of either is over the largest value. */
const digitsMost = 40;

const decimalExponents: Readonly<Record<string, number>> = {
  n: -9,
  u: -6,
  m: -3,
  '': 0,
  k: 3,
  M: 6,
  G: 9,
  T: 12,
  P: 15,
  E: 18,
};
const binaryExponents: Readonly<Record<string, number>> = { Ki: 10, Mi: 20, Gi: 30, Ti: 40, Pi: 50, Ei: 60 };
const decimalSuffixes = new Map(Object.entries(decimalExponents).map(([suffix, exponent]) => [exponent, suffix]));
const binarySuffixes = ['', ...Object.keys(binaryExponents)];

const wrongForm = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";

/** Throws InvalidArgument with upstream's words. Parts below a billionth are rounded away from zero. */
export function parseQuantity(text: string): Quantity {
  const match = /^([+-]?)(\d*)(?:\.(\d*))?([eEinumkKMGTP]*[-+]?\d*)$/.exec(text);
  if (match === null || text === '') throw new StatusError('InvalidArgument', wrongForm);
  const [, sign = '', whole = '', fraction = '', suffix = ''] = match;
  if (whole === '' && fraction === '') throw new StatusError('InvalidArgument', wrongForm);
  const unit = unitOf(suffix);
  if (unit === undefined) throw new StatusError('InvalidArgument', "unable to parse quantity's suffix");
  const nanos = toNanos(whole.replace(/^0+/, ''), fraction.replace(/0+$/, ''), unit);
  const isSmall = unit.format === 'BinarySI' && nanos > 0n && nanos < nano;
  return { nanos: sign === '-' ? -nanos : nanos, format: isSmall ? 'DecimalSI' : unit.format };
}

/** The canonical text: whole mantissa, largest unit. */
export function formatQuantity(quantity: Quantity): string {
  const { nanos, format } = quantity;
  if (nanos === 0n) return '0';
  const isBinary = format === 'BinarySI' && nanos % nano === 0n && (nanos >= 1024n * nano || nanos <= -1024n * nano);
  if (isBinary) return formatBinary(nanos / nano);
  let [mantissa, exponent] = [nanos, -9];
  const exponentMost = format === 'DecimalExponent' ? digitsMost : 18;
  for (; mantissa % 1000n === 0n && exponent < exponentMost; exponent += 3) mantissa /= 1000n;
  if (format === 'DecimalExponent') return `${String(mantissa)}${exponent === 0 ? '' : `e${String(exponent)}`}`;
  return `${String(mantissa)}${decimalSuffixes.get(exponent) ?? ''}`;
}

/** The text as the API server stores it: `1000m` is `1`. Throws InvalidArgument. */
export function canonicalQuantity(text: string): string {
  return formatQuantity(parseQuantity(text));
}

/** Negative, zero or positive, as sorting wants it. */
export function compareQuantities(one: Quantity, other: Quantity): number {
  return one.nanos < other.nanos ? -1 : Number(one.nanos > other.nanos);
}

/** The sum, in the notation of the first that is not zero. */
export function addQuantities(one: Quantity, other: Quantity): Quantity {
  return { nanos: one.nanos + other.nanos, format: one.nanos === 0n ? other.format : one.format };
}

export function subtractQuantities(one: Quantity, other: Quantity): Quantity {
  return addQuantities(one, { ...other, nanos: -other.nanos });
}

/** Rounded up to whole units. */
export function quantityUnits(quantity: Quantity): bigint {
  const floor = quantity.nanos / nano;
  return quantity.nanos % nano > 0n ? floor + 1n : floor;
}

/** Rounded up to thousandths: millicores of a cpu quantity. */
export function quantityMillis(quantity: Quantity): bigint {
  const milli = nano / 1000n;
  const floor = quantity.nanos / milli;
  return quantity.nanos % milli > 0n ? floor + 1n : floor;
}

interface Unit {
  readonly base: 2 | 10;
  readonly exponent: number;
  readonly format: Quantity['format'];
}

function unitOf(suffix: string): Unit | undefined {
  const binary = binaryExponents[suffix];
  if (binary !== undefined) return { base: 2, exponent: binary, format: 'BinarySI' };
  const decimal = decimalExponents[suffix];
  if (decimal !== undefined) return { base: 10, exponent: decimal, format: 'DecimalSI' };
  if (!/^[eE][-+]?\d{1,18}$/.test(suffix)) return undefined;
  return { base: 10, exponent: Number(suffix.slice(1)), format: 'DecimalExponent' };
}

function toNanos(whole: string, fraction: string, { base, exponent }: Unit): bigint {
  if (whole === '' && fraction === '') return 0n;
  if (base === 2) {
    if (whole.length > digitsMost) return largestNanos;
    const scale = 10n ** BigInt(fraction.length);
    return capped(ceilingOf(BigInt(`${whole}${fraction}`) * 2n ** BigInt(exponent) * nano, scale));
  }
  const leadingZeros = whole === '' ? (/^0*/.exec(fraction)?.[0].length ?? 0) : 0;
  const magnitude = whole.length - leadingZeros + exponent;
  if (magnitude > digitsMost) return largestNanos;
  if (magnitude < -digitsMost) return 1n;
  const shift = exponent + 9 - fraction.length;
  const digits = BigInt(`${whole}${fraction}`);
  return capped(shift >= 0 ? digits * 10n ** BigInt(shift) : ceilingOf(digits, 10n ** BigInt(-shift)));
}

function ceilingOf(value: bigint, divisor: bigint): bigint {
  return (value + divisor - 1n) / divisor;
}

function capped(nanos: bigint): bigint {
  return nanos > largestNanos ? largestNanos : nanos;
}

function formatBinary(value: bigint): string {
  let [mantissa, step] = [value, 0];
  for (; mantissa % 1024n === 0n && step < binarySuffixes.length - 1; step += 1) mantissa /= 1024n;
  return `${String(mantissa)}${binarySuffixes[step] ?? ''}`;
}
