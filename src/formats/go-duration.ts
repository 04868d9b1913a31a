import { StatusError } from '#base/errors.ts';

const unitNs: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  μs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};

const maxNs = 2 ** 63;

/** Parses a duration as Go's time.ParseDuration does (`1m30s`, `1.5h`, `0`); nanoseconds. Throws InvalidArgument. */
export function parseGoDuration(text: string): number {
  const ns = goDurationNs(text);
  if (ns === undefined) throw new StatusError('InvalidArgument', `time: invalid duration ${JSON.stringify(text)}`);
  return ns;
}

/** The same; undefined when the text is no duration. */
export function goDurationNs(text: string): number | undefined {
  const sign = text.startsWith('-') ? -1 : 1;
  const body = /^[-+]/.test(text) ? text.slice(1) : text;
  if (body === '0') return 0;
  if (body === '') return undefined;
  const part = /([0-9]*)(\.[0-9]*)?(ns|us|µs|μs|ms|s|m|h)/y;
  let total = 0;
  while (part.lastIndex < body.length) {
    const match = part.exec(body);
    const number = (match?.[1] ?? '') + (match?.[2] ?? '');
    if (match === null || number === '' || number === '.') return undefined;
    total += Number(number) * (unitNs[match[3] ?? ''] ?? 0);
  }
  if (total >= maxNs) return undefined;
  return sign * Math.round(total);
}
