import { nowNs } from '#base/clock.ts';
import { StatusError, reasonOf } from '#base/errors.ts';
import type { WaitCondition } from '#engine/runtime/containers.ts';

import type { Context } from '../context.ts';
import type { Call } from '../http/call.ts';
import { parseFilters } from '../http/filters.ts';
import type { Query } from '../http/query.ts';
import type { Reply } from '../http/reply.ts';
import { empty, json, stream } from '../http/reply.ts';
import { isoToNs, parsePointInTime } from '../text/timestamp.ts';
import { originOf } from '../translate/origin.ts';
import { checkSignal } from '../translate/stop-signal.ts';
import { speaks } from '../http/api-version.ts';

const conditions: readonly string[] = ['not-running', 'next-exit', 'removed'];

/** POST /containers/{id}/start: 304 when it runs already. */
export async function start({ engine }: Context, call: Call, signal: AbortSignal): Promise<Reply> {
  if (call.query.text('checkpoint') !== '') {
    throw new StatusError('NotSupported', 'Cannot start from a checkpoint: checkpoints are not supported');
  }
  const { id, spec } = engine.containers.get(idOf(call));
  if (!(await engine.containers.start(id, signal))) return empty(304);
  const [rows = 0, columns = 0] = originOf(spec).hostConfig.ConsoleSize ?? [];
  // It may be over already, and the client sends the size again when it changes.
  if (spec.tty && rows > 0 && columns > 0) await engine.containers.resize(id, rows, columns).catch(() => {});
  return empty(204);
}

/** POST /containers/{id}/stop: 304 when it does not run. */
export async function stop({ engine }: Context, call: Call, signal: AbortSignal): Promise<Reply> {
  return empty((await engine.containers.stop(idOf(call), stopOptions(call), signal)) ? 204 : 304);
}

export async function restart({ engine }: Context, call: Call, signal: AbortSignal): Promise<Reply> {
  await engine.containers.restart(idOf(call), stopOptions(call), signal);
  return empty(204);
}

export async function kill({ engine }: Context, call: Call): Promise<Reply> {
  await engine.containers.kill(idOf(call), checkSignal(call.query.text('signal') || 'SIGKILL'));
  return empty(204);
}

/** POST /containers/{id}/wait: the head goes out at once, for clients wait before they start. */
export function wait({ engine }: Context, call: Call, signal: AbortSignal): Reply {
  const { id } = engine.containers.get(idOf(call));
  // Before 1.30 there was one condition, and nobody waited for the head.
  const isOld = !speaks(call.version, 30);
  const condition = isOld ? 'not-running' : call.query.text('condition') || 'not-running';
  if (!isCondition(condition)) throw new StatusError('InvalidArgument', `invalid condition: "${condition}"`);
  const exit = engine.containers.wait(id, condition, signal);
  // Awaited below; a failure meanwhile is not unhandled.
  exit.catch(() => {});
  return stream({ headAtOnce: !isOld }, async (output) => {
    const { exitCode, error } = await exit;
    // Whoever waits for the removal has it: why the start failed was the answer to the start.
    const tells = error !== '' && condition !== 'removed';
    const body = { StatusCode: exitCode, ...(tells && { Error: { Message: error } }) };
    await output.write(`${JSON.stringify(body)}\n`);
  });
}

export async function remove({ engine }: Context, call: Call, signal: AbortSignal): Promise<Reply> {
  if (call.query.flag('link')) {
    throw new StatusError(
      'NotSupported',
      'Cannot remove a link: it goes with the container that has it; remove that one',
    );
  }
  const options = { force: call.query.flag('force'), volumes: call.query.flag('v') };
  await engine.containers.remove(idOf(call), options, signal);
  return empty(204);
}

/** POST /containers/prune: removes what does not run. */
export async function prune({ engine }: Context, call: Call, signal: AbortSignal): Promise<Reply> {
  const filters = parseFilters(call.query, ['label', 'label!', 'until']);
  const until = filters.values('until')[0];
  const beforeNs = until === undefined ? undefined : parsePointInTime(until, nowNs());
  const removed: string[] = [];
  let freedBytes = 0;
  for (const { id, state, spec, createdAt } of engine.containers.list()) {
    const idle = ['created', 'exited', 'dead'].includes(state.status);
    const old = beforeNs === undefined || isoToNs(createdAt) < beforeNs;
    if (!idle || !old || !filters.prunable(spec.labels)) continue;
    try {
      const written = await engine.snapshots.writtenBytes(id, signal);
      await engine.containers.remove(id, { force: false, volumes: false }, signal);
      removed.push(id);
      freedBytes += written;
    } catch (error) {
      // Somebody started or removed it meanwhile.
      if (reasonOf(error) !== 'Conflict' && reasonOf(error) !== 'NotFound') throw error;
    }
  }
  return json({ ContainersDeleted: removed, SpaceReclaimed: freedBytes });
}

export async function rename({ engine }: Context, call: Call): Promise<Reply> {
  const name = call.query.text('name').replace(/^\//, '');
  if (name === '') {
    throw new StatusError('InvalidArgument', 'Neither old nor new names may be empty');
  }
  await engine.containers.rename(idOf(call), name);
  return empty(204);
}

export async function resize({ engine }: Context, call: Call): Promise<Reply> {
  const { rows, columns } = windowSize(call.query);
  await engine.containers.resize(idOf(call), rows, columns);
  return empty(200);
}

/** The parameters `h` and `w`. */
export function windowSize(query: Query): { readonly rows: number; readonly columns: number } {
  const [rows, columns] = [query.integer('h') ?? 0, query.integer('w') ?? 0];
  const inRange = (value: number): boolean => value >= 0 && value <= 0xffff;
  if (inRange(rows) && inRange(columns)) return { rows, columns };
  throw new StatusError('InvalidArgument', `invalid terminal size: ${String(rows)} rows, ${String(columns)} columns`);
}

function stopOptions(call: Call): { readonly timeoutSeconds?: number; readonly signal?: string } {
  const timeoutSeconds = call.query.integer('t');
  const signal = speaks(call.version, 42) ? call.query.text('signal') : '';
  return {
    ...(timeoutSeconds !== undefined && { timeoutSeconds: Math.max(-1, timeoutSeconds) }),
    ...(signal !== '' && { signal: checkSignal(signal) }),
  };
}

function isCondition(text: string): text is WaitCondition {
  return conditions.includes(text);
}

function idOf(call: Call): string {
  return call.params['id'] ?? '';
}
