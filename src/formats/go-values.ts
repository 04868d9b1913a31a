import { StatusError } from '#base/errors.ts';

const truths = ['1', 't', 'T', 'TRUE', 'true', 'True'];
const lies = ['0', 'f', 'F', 'FALSE', 'false', 'False'];
const exponents = ['', 'k', 'm', 'g', 't', 'p'];
const largestInt = 2 ** 31 - 1;

/** A truth value as Go's strconv.ParseBool reads it. Throws InvalidArgument with Go's words. */
export function parseGoBool(text: string): boolean {
  if (truths.includes(text)) return true;
  if (lies.includes(text)) return false;
  throw invalid(`strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`);
}

/** A whole number of 32 bits as Go's strconv.Atoi reads it. Throws InvalidArgument with Go's words. */
export function parseGoInt(text: string): number {
  const fail = (why: string): StatusError => invalid(`strconv.Atoi: parsing ${JSON.stringify(text)}: ${why}`);
  if (!/^[+-]?\d+$/.test(text)) throw fail('invalid syntax');
  const value = Number(text);
  if (Math.abs(value) > largestInt) throw fail('value out of range');
  return value;
}

/** A size in bytes with units of 1000, such as `10m` (go-units, FromHumanSize). Throws InvalidArgument. */
export function parseHumanSize(text: string): number {
  return parseSize(text, 1000);
}

/** A size in bytes with units of 1024 (go-units, RAMInBytes). Throws InvalidArgument. */
export function parseMemorySize(text: string): number {
  return parseSize(text, 1024);
}

function parseSize(text: string, base: number): number {
  const match = /^(\d+(?:\.\d+)?) ?([kmgtp]?)i?b?$/i.exec(text);
  if (match === null) throw invalid(`invalid size: '${text}'`);
  const size = Math.floor(Number(match[1]) * base ** exponents.indexOf((match[2] ?? '').toLowerCase()));
  if (!Number.isSafeInteger(size)) throw invalid(`invalid size: '${text}'`);
  return size;
}

function invalid(message: string): StatusError {
  return new StatusError('InvalidArgument', message);
}
