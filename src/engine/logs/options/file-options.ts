import { parseGoBool, parseGoInt, parseHumanSize } from '#formats/go-values.ts';

import type { LogLimits, LogOptions } from '../log-config.ts';
import { invalidOption } from './invalid-option.ts';

/** 100 MB per container unless told otherwise: plenty for a look back, and a disk does not fill. */
export const defaultLogLimits: LogLimits = { maxFiles: 5, maxSizeBytes: 20_000_000, compress: false };

/** Below that, rotation would cost more than writing. */
const leastSizeBytes = 4096;
/**
 * conmon rotates by itself, and does not wait for anybody to name what it left: with small files it would be faster than
 * that, and lines would be lost that the number of files should have kept.
 */
const calmSizeBytes = 1_000_000;
const mostFiles = 1000;

/** `max-size`, `max-file` and `compress` of the driver json-file. With a size but no number there is one file, as in Docker. */
export function jsonFileLimits(options: LogOptions): LogLimits {
  const size = options['max-size'];
  const files = countOf(options['max-file']) ?? (size === undefined ? defaultLogLimits.maxFiles : 1);
  const compress = parseGoBool(options['compress'] ?? 'false');
  if (compress && (files < 2 || size === undefined))
    throw invalidOption('compress cannot be true when max-file is less than 2 or max-size is not set');
  return calm({ maxFiles: files, maxSizeBytes: sizeOf(size), compress });
}

/** The same of the driver local, and with `cache-` before them of the copy of a log that is sent elsewhere. */
export function localLimits(options: LogOptions, prefix: '' | 'cache-'): LogLimits {
  const files = countOf(options[`${prefix}max-file`]) ?? defaultLogLimits.maxFiles;
  const compress = parseGoBool(options[`${prefix}compress`] ?? 'true');
  if (compress && files < 2) throw invalidOption('compression cannot be enabled when max file count is 1');
  return calm({ maxFiles: files, maxSizeBytes: sizeOf(options[`${prefix}max-size`]), compress });
}

/** Many small files become fewer larger ones, of the same size in all. */
function calm(limits: LogLimits): LogLimits {
  const { maxFiles, maxSizeBytes } = limits;
  const totalBytes = maxFiles * maxSizeBytes;
  const sizeBytes = Math.min(calmSizeBytes, Math.max(maxSizeBytes, Math.floor(totalBytes / 2)));
  if (maxSizeBytes >= sizeBytes) return limits;
  return { ...limits, maxSizeBytes: sizeBytes, maxFiles: Math.floor(totalBytes / sizeBytes) };
}

function sizeOf(value: string | undefined): number {
  if (value === undefined) return defaultLogLimits.maxSizeBytes;
  const bytes = parseHumanSize(value);
  if (bytes < 1) throw invalidOption('max-size must be a positive number');
  return Math.max(bytes, leastSizeBytes);
}

function countOf(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const count = parseGoInt(value);
  if (count < 1) throw invalidOption('max-file cannot be less than 1');
  if (count > mostFiles) throw invalidOption(`max-file cannot be more than ${String(mostFiles)}`);
  return count;
}
