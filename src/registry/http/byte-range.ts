import { RegistryError } from '../registry-error.ts';

/** First and last byte, both included. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/**
 * The range of a `Range` header (RFC 9110, section 14.2) within `sizeBytes`; undefined for none, or for what may be ignored:
 * other units and several ranges. Throws RegistryError RANGE_INVALID when it lies outside.
 */
export function parseRange(header: string | undefined, sizeBytes: number): ByteRange | undefined {
  const [, from = '', to = ''] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? '') ?? [];
  if (from === '' && to === '') return undefined;
  const start = from === '' ? Math.max(sizeBytes - Number(to), 0) : Number(from);
  const end = from === '' || to === '' ? sizeBytes - 1 : Math.min(Number(to), sizeBytes - 1);
  if (start <= end) return { start, end };
  throw new RegistryError('RANGE_INVALID', `the blob has ${String(sizeBytes)} bytes`);
}

/** The first byte of a piece, of `Content-Range: 0-99` as clients of registries write it. Throws RegistryError. */
export function parsePieceStart(header: string | undefined): number | undefined {
  if (header === undefined) return undefined;
  const [, start] = /^(?:bytes )?(\d{1,15})-\d{1,15}(?:\/.*)?$/.exec(header) ?? [];
  if (start !== undefined) return Number(start);
  throw new RegistryError('RANGE_INVALID', 'want Content-Range: <first>-<last>');
}
