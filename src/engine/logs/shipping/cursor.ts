import { readFileSync, renameSync, unlinkSync, writeFileSync } from 'node:fs';

import { isObject } from '#base/json.ts';
import { newId } from '#base/ids.ts';
import { hasCode } from '#sys/errno.ts';

import type { WaitingLine } from '../join-parts.ts';
import type { LogPosition } from '../log-tail.ts';

/** How far a log was sent. */
export interface Cursor {
  readonly position: LogPosition;
  /** Lines that have begun before the position. */
  readonly waiting: readonly WaitingLine[];
  /** Names this series of ordinals. */
  readonly epoch: string;
  /** Lines before the position: the ordinal of the last one. */
  readonly sent: number;
}

/** At the beginning of a log. */
export function newCursor(): Cursor {
  return { position: { generation: 0, offset: 0 }, waiting: [], epoch: newId(), sent: 0 };
}

/** undefined when there is none, or it is damaged: then the log is sent from its beginning again. */
export function readCursor(path: string): Cursor | undefined {
  try {
    return decode(JSON.parse(readFileSync(path, 'utf8')));
  } catch (error) {
    if (error instanceof SyntaxError || hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** Outlives this process. The log itself does not outlive loss of power for sure, so nor need this. */
export function writeCursor(path: string, { position, waiting, epoch, sent }: Cursor): void {
  const lines = waiting.map(({ stream, timeNs, bytes, given }) => ({
    stream,
    timeNs: timeNs.toString(),
    bytes: Buffer.from(bytes).toString('base64'),
    ...(given !== undefined && { given }),
  }));
  const draft = `${path}.draft`;
  writeFileSync(draft, JSON.stringify({ position, waiting: lines, epoch, sent }), { mode: 0o600 });
  renameSync(draft, path);
}

export function removeCursor(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error;
  }
}

function decode(value: unknown): Cursor | undefined {
  if (!isObject(value) || !isObject(value['position']) || !Array.isArray(value['waiting'])) return undefined;
  const { generation, offset } = value['position'];
  const { epoch, sent } = value;
  if (!isCount(generation) || !isCount(offset) || !isCount(sent) || typeof epoch !== 'string') return undefined;
  const waiting = value['waiting'].map(decodeLine);
  if (!waiting.every((line) => line !== undefined)) return undefined;
  return { position: { generation, offset }, waiting, epoch, sent };
}

function decodeLine(value: unknown): WaitingLine | undefined {
  if (!isObject(value)) return undefined;
  const { stream, timeNs, bytes, given } = value;
  if ((stream !== 'stdout' && stream !== 'stderr') || typeof timeNs !== 'string' || typeof bytes !== 'string')
    return undefined;
  if (!/^\d{1,20}$/.test(timeNs)) return undefined;
  const line = { stream, timeNs: BigInt(timeNs), bytes: Buffer.from(bytes, 'base64') } as const;
  if (!isObject(given)) return line;
  const { id, parts } = given;
  return typeof id === 'string' && isCount(parts) ? { ...line, given: { id, parts } } : undefined;
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
