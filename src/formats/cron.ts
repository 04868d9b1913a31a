import { StatusError } from '#base/errors.ts';

/** When something happens again and again, as crontab(5) says it in five fields. Days of the week count from Sunday, 0. */
export interface Cron {
  readonly minutes: ReadonlySet<number>;
  readonly hours: ReadonlySet<number>;
  readonly daysOfMonth: ReadonlySet<number>;
  readonly months: ReadonlySet<number>;
  readonly daysOfWeek: ReadonlySet<number>;
  /** Both kinds of days are restricted: one of them is enough then. */
  readonly isEitherDay: boolean;
}

interface Range {
  readonly least: number;
  readonly most: number;
  readonly names: readonly string[];
}

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const days = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];

const ranges: readonly Range[] = [
  { least: 0, most: 59, names: [] },
  { least: 0, most: 23, names: [] },
  { least: 1, most: 31, names: [] },
  { least: 1, most: 12, names: months },
  { least: 0, most: 6, names: days },
];

const descriptors: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
};

/** Throws InvalidArgument with the words of the parser that Kubernetes uses. */
export function parseCron(text: string): Cron {
  const spec = text.startsWith('@') ? descriptors[text] : text;
  if (spec === undefined) throw wrong(`unrecognized descriptor: ${text}`);
  const fields = spec.split(/\s+/).filter((field) => field !== '');
  if (fields.length !== ranges.length)
    throw wrong(`expected exactly 5 fields, found ${String(fields.length)}: [${fields.join(' ')}]`);
  const [minutes, hours, daysOfMonth, month, daysOfWeek] = ranges.map((range, index) =>
    parseField(fields[index] ?? '', range),
  );
  const isFree = (index: number): boolean => /^[*?]/.test(fields[index] ?? '');
  return {
    minutes: minutes ?? new Set(),
    hours: hours ?? new Set(),
    daysOfMonth: daysOfMonth ?? new Set(),
    months: month ?? new Set(),
    daysOfWeek: daysOfWeek ?? new Set(),
    isEitherDay: !isFree(2) && !isFree(4),
  };
}

function parseField(field: string, range: Range): ReadonlySet<number> {
  return new Set(
    field
      .split(',')
      .filter((part) => part !== '')
      .flatMap((part) => parsePart(part, range)),
  );
}

function parsePart(part: string, range: Range): number[] {
  const [span = '', stepText, ...slashes] = part.split('/');
  if (slashes.length > 0) throw wrong(`too many slashes: ${part}`);
  const [first = '', last, ...hyphens] = span.split('-');
  if (hyphens.length > 0) throw wrong(`too many hyphens: ${part}`);
  const isAll = first === '*' || first === '?';
  const start = isAll ? range.least : valueOf(first, range);
  const step = stepText === undefined ? 1 : numberOf(stepText);
  const ownEnd = last === undefined ? start : valueOf(last, range);
  // A start with a step and no end goes on to the last value.
  const end = isAll || (stepText !== undefined && last === undefined) ? range.most : ownEnd;
  if (start < range.least)
    throw wrong(`beginning of range (${String(start)}) below minimum (${String(range.least)}): ${part}`);
  if (end > range.most) throw wrong(`end of range (${String(end)}) above maximum (${String(range.most)}): ${part}`);
  if (start > end) throw wrong(`beginning of range (${String(start)}) beyond end of range (${String(end)}): ${part}`);
  if (step === 0) throw wrong(`step of range should be a positive number: ${part}`);
  return Array.from({ length: Math.floor((end - start) / step) + 1 }, (_, index) => start + index * step);
}

function valueOf(text: string, { least, names }: Range): number {
  const index = names.indexOf(text.toLowerCase());
  return index < 0 ? numberOf(text) : index + least;
}

function numberOf(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  if (/^-\d+$/.test(text)) throw wrong(`negative number (${text}) not allowed: ${text}`);
  throw wrong(`failed to parse int from ${text}: strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`);
}

function wrong(message: string): StatusError {
  return new StatusError('InvalidArgument', message);
}
