/** The two forms of time in the API: whole seconds, or six digits of a second that must be there. */
export type TimeForm = 'time' | 'micro-time';

export type ParsedTime = { readonly text: string } | { readonly error: string };

const layouts: Readonly<Record<TimeForm, string>> = {
  time: '2006-01-02T15:04:05Z07:00',
  'micro-time': '2006-01-02T15:04:05.000000Z07:00',
};
/** Parts of the layout in order, as Go names them in errors. */
const parts: readonly {
  readonly layout: string;
  readonly pattern: RegExp;
  readonly most?: number;
  readonly name?: string;
}[] = [
  { layout: '2006', pattern: /^[0-9]{4}/ },
  { layout: '-', pattern: /^-/ },
  { layout: '01', pattern: /^[0-9]{2}/, most: 12, name: 'month' },
  { layout: '-', pattern: /^-/ },
  { layout: '02', pattern: /^[0-9]{2}/, most: 31, name: 'day' },
  { layout: 'T', pattern: /^T/ },
  { layout: '15', pattern: /^[0-9]{1,2}/, most: 23, name: 'hour' },
  { layout: ':', pattern: /^:/ },
  { layout: '04', pattern: /^[0-9]{2}/, most: 59, name: 'minute' },
  { layout: ':', pattern: /^:/ },
  { layout: '05', pattern: /^[0-9]{2}/, most: 59, name: 'second' },
];

/** Reads a time as Go's time.Parse does, and gives it in UTC; errors are Go's. */
export function parseTime(text: string, form: TimeForm): ParsedTime {
  const layout = layouts[form];
  const fail = (rest: string, part: string): ParsedTime => ({
    error: `parsing time ${JSON.stringify(text)} as ${JSON.stringify(layout)}: cannot parse ${JSON.stringify(rest)} as ${JSON.stringify(part)}`,
  });
  const values: number[] = [];
  let rest = text;
  for (const { layout: part, pattern, most, name } of parts) {
    const found = pattern.exec(rest)?.[0];
    if (found === undefined) return fail(rest, part);
    rest = rest.slice(found.length);
    if (!/^[0-9]/.test(found)) continue;
    const value = Number(found);
    values.push(value);
    const least = name === 'month' || name === 'day' ? 1 : 0;
    if (most !== undefined && (value > most || value < least))
      return { error: `parsing time ${JSON.stringify(text)}: ${name ?? ''} out of range` };
  }
  const fraction = /^[.,][0-9]+/.exec(rest)?.[0] ?? '';
  if (form === 'micro-time' && !/^\.[0-9]{6}$/.test(fraction)) return fail(rest, '.000000');
  rest = rest.slice(fraction.length);
  const zone = /^(?:Z|[+-]([0-9]{2}):([0-9]{2}))/.exec(rest);
  if (zone === null) return fail(rest, 'Z07:00');
  const after = rest.slice(zone[0].length);
  if (after !== '') return { error: `parsing time ${JSON.stringify(text)}: extra text: ${JSON.stringify(after)}` };
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0] = values;
  if (day > daysIn(year, month)) return { error: `parsing time ${JSON.stringify(text)}: day out of range` };
  const offsetMinutes = (Number(zone[1] ?? 0) * 60 + Number(zone[2] ?? 0)) * (zone[0].startsWith('-') ? -1 : 1);
  const seconds = utcSeconds([year, month, day, hour, minute, second]) - offsetMinutes * 60;
  return { text: timeText(seconds, Number(fraction.slice(1, 7).padEnd(6, '0')) * 1000, form) };
}

/** A time in UTC from seconds since 1970 and nanoseconds. */
export function timeText(seconds: number, nanos: number, form: TimeForm): string {
  const date = new Date(seconds * 1000);
  if (Number.isNaN(date.getTime())) return '0001-01-01T00:00:00Z';
  const base = date
    .toISOString()
    .replace(/\.\d{3}Z$/, '')
    .replace(/^\+?0*(?=\d{4})/, '');
  return form === 'time' ? `${base}Z` : `${base}.${String(Math.trunc(nanos / 1000)).padStart(6, '0')}Z`;
}

function daysIn(year: number, month: number): number {
  return new Date(Date.UTC(2000 + (year % 400), month, 0)).getUTCDate();
}

function utcSeconds([year, month, day, hour, minute, second]: readonly [
  number,
  number,
  number,
  number,
  number,
  number,
]): number {
  const date = new Date(Date.UTC(2000, month - 1, day, hour, minute, second));
  date.setUTCFullYear(year, month - 1, day);
  return date.getTime() / 1000;
}
