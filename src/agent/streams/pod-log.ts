import { once } from 'node:events';
import type { Writable } from 'node:stream';

import type { Engine } from '#engine/engine.ts';
import type { LogRecord } from '#engine/logs/container-log.ts';
import { badRequest } from '#kube/status.ts';
import type { Resource } from '#kube/resource.ts';

import { latestOf, runsOf } from '../lifecycle/pod-now.ts';
import { readPod } from '../pods/read-pod.ts';

export interface LogOptions {
  readonly container: string;
  readonly follow: boolean;
  readonly previous: boolean;
  readonly timestamps: boolean;
  readonly sinceSeconds: number | undefined;
  /** RFC 3339. */
  readonly sinceTime: string | undefined;
  readonly tailLines: number | undefined;
  readonly limitBytes: number | undefined;
}

/**
 * Looks for what a container of a pod printed, and gives what writes it. Throws BadRequest in upstream's words when there is
 * nothing of it.
 */
export function openPodLog(
  engine: Pick<Engine, 'containers' | 'sandboxes'>,
  pod: Resource,
  options: LogOptions,
  nowMs: number,
): (out: Writable, signal: AbortSignal) => Promise<void> {
  const id = runIn(engine, pod, options);
  const sinceNs = sinceOf(options, nowMs);
  const query = {
    stdout: true,
    stderr: true,
    follow: options.follow,
    ...(options.tailLines !== undefined && { tail: options.tailLines }),
    ...(sinceNs !== undefined && { sinceNs }),
  };
  return async (out, signal) => {
    let left = options.limitBytes ?? Infinity;
    for await (const records of engine.containers.logs(id, query, signal)) {
      const bytes = Buffer.concat(records.flatMap((record) => linesOf(record, options.timestamps)));
      if (!out.write(bytes.subarray(0, left)) && !out.destroyed) await once(out, 'drain', { signal });
      left -= bytes.length;
      if (left <= 0) return;
    }
  };
}

function runIn(
  engine: Pick<Engine, 'containers' | 'sandboxes'>,
  { metadata }: Resource,
  { container, previous }: LogOptions,
): string {
  const { name = '', uid = '' } = metadata;
  const now = readPod(uid, engine);
  const run = previous ? runsOf(now.runs, container)[1] : latestOf(now, container);
  if (run !== undefined && run.state !== 'created') return run.id;
  throw badRequest(
    previous
      ? `previous terminated container "${container}" in pod "${name}" not found`
      : `container "${container}" in pod "${name}" is waiting to start: ContainerCreating`,
  );
}

function sinceOf({ sinceSeconds, sinceTime }: LogOptions, nowMs: number): bigint | undefined {
  if (sinceSeconds !== undefined) return BigInt(Math.round(nowMs - sinceSeconds * 1000)) * 1_000_000n;
  if (sinceTime === undefined) return undefined;
  const ms = Date.parse(sinceTime);
  if (Number.isNaN(ms)) throw badRequest(`sinceTime: Invalid value: "${sinceTime}": must be a time of RFC 3339`);
  return BigInt(ms) * 1_000_000n;
}

/** The line as it was printed, after its time when that is wanted; a part that goes on has none of its own. */
function linesOf({ timeNs, bytes, part }: LogRecord, timestamps: boolean): readonly Uint8Array[] {
  if (!timestamps || (part !== undefined && part.ordinal > 1)) return [bytes];
  const seconds = new Date(Number(timeNs / 1_000_000n)).toISOString().slice(0, 19);
  const nanos = String(timeNs % 1_000_000_000n).padStart(9, '0');
  return [Buffer.from(`${seconds}.${nanos}Z `), bytes];
}
