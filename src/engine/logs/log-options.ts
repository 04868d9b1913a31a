import { StatusError } from '#base/errors.ts';

/** How much of a container's output is kept; always bounded. */
export interface LogLimits {
  readonly maxFiles: number;
  readonly maxSizeBytes: number;
}

/** 100 MB per container unless told otherwise: plenty for a look back, and a disk does not fill. */
export const defaultLogLimits: LogLimits = { maxFiles: 5, maxSizeBytes: 20_000_000 };

/** Below that, rotation would cost more than writing. */
const leastSizeBytes = 4096;
const mostFiles = 1000;
const units: Readonly<Record<string, number>> = { '': 1, k: 1000, m: 1000 ** 2, g: 1000 ** 3 };

/**
 * Reads the options of a log driver (`--log-opt max-size=10m --log-opt max-file=3`). Throws InvalidArgument for wrong
 * values, NotSupported for options that we do not do.
 */
export function parseLogOptions(driver: string, options: Readonly<Record<string, string>>): LogLimits {
  let limits = defaultLogLimits;
  for (const [name, value] of Object.entries(options)) {
    if (driver === 'none') throw unknownOption(name, driver);
    if (name === 'max-size') limits = { ...limits, maxSizeBytes: sizeOf(value) };
    else if (name === 'max-file') limits = { ...limits, maxFiles: countOf(value) };
    else if (!changesNothing(name, value)) throw unsupported(name, value, driver);
  }
  return limits;
}

function sizeOf(value: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([kmg]?)i?b?$/i.exec(value.trim());
  const bytes = Number(match?.[1]) * (units[(match?.[2] ?? '').toLowerCase()] ?? 1);
  if (match === null || bytes < 1) throw invalid('max-size', value, 'want a size such as 10m');
  return Math.max(Math.floor(bytes), leastSizeBytes);
}

function countOf(value: string): number {
  const count = Number(value);
  if (!/^\d+$/.test(value) || count < 1 || count > mostFiles) {
    throw invalid('max-file', value, `want 1 to ${String(mostFiles)}`);
  }
  return count;
}

function changesNothing(name: string, value: string): boolean {
  return (name === 'compress' && value === 'false') || (name === 'mode' && value === 'blocking');
}

function unsupported(name: string, value: string, driver: string): StatusError {
  const known = ['compress', 'mode', 'max-buffer-size', 'labels', 'labels-regex', 'env', 'env-regex', 'tag'];
  if (!known.includes(name)) return unknownOption(name, driver);
  return new StatusError('NotSupported', `Cannot use --log-opt ${name}=${value}: it is not supported; leave it away`);
}

function unknownOption(name: string, driver: string): StatusError {
  return new StatusError('InvalidArgument', `unknown log opt '${name}' for ${driver} log driver`);
}

function invalid(name: string, value: string, wanted: string): StatusError {
  return new StatusError('InvalidArgument', `Cannot use --log-opt ${name}=${value}: ${wanted}`);
}
