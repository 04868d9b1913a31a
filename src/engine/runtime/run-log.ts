import { rm } from 'node:fs/promises';
import { join } from 'node:path';

import type { LogSettings } from '../logs/log-config.ts';
import { currentLogPath, rotateBeforeStart } from '../logs/log-files.ts';
import { LogKeeper } from '../logs/log-keeper.ts';
import type { LogOrigin } from '../logs/log-origin.ts';
import { parseLogOptions } from '../logs/options/parse-log-options.ts';
import type { HoldRequest } from './conmon.ts';
import type { LiveContainer } from './live-container.ts';
import type { ContainerRecord } from './record.ts';
import type { Room } from './room.ts';

/** Compressing may still make a file in a folder that goes. */
const removalRetries = 5;

export function logFolder(room: Pick<Room, 'dataDir'>, id: string): string {
  return join(room.dataDir, 'logs', id);
}

export function logOrigin({ id, name, createdAt, spec }: ContainerRecord): LogOrigin {
  const { imageId, imageName, args, env, labels, log } = spec;
  return { id, name, createdAt, imageId, imageName, args, env, labels, log };
}

/** Where conmon is to write a run's output; undefined: it is not kept. */
export function prepareLog(room: Room, { id, spec }: ContainerRecord): HoldRequest['log'] {
  if (spec.log.driver === 'none') return undefined;
  const { limits } = parseLogOptions(spec.log);
  const folder = logFolder(room, id);
  rotateBeforeStart(folder, limits);
  return { path: currentLogPath(folder), maxSizeBytes: limits.maxSizeBytes };
}

/** Keeps a run's log in order whenever conmon rotates, and sends it to where its options say. */
export function watchLog(room: Room, live: LiveContainer): void {
  const run = new DisposableStack();
  live.run = run;
  if (live.record.spec.log.driver === 'none') return;
  const settings = parseLogOptions(live.record.spec.log);
  const keeper = new LogKeeper(logFolder(room, live.id), settings.limits, room.logger, room.signal);
  run.use(room.arrivals.watch(logFolder(room, live.id), () => keeper.arrange()));
  keeper.arrange();
  ship(room, live, settings);
}

/** Sends what a container that does not run had printed before this process ended. */
export function shipRest(room: Room, live: LiveContainer): void {
  ship(room, live, parseLogOptions(live.record.spec.log));
}

/** Removes a log, after a moment for what was not sent yet. */
export async function removeLog(room: Room, id: string): Promise<void> {
  await room.shippers.finish(id);
  await rm(logFolder(room, id), { recursive: true, force: true, maxRetries: removalRetries });
}

function ship(room: Room, live: LiveContainer, settings: LogSettings): void {
  const source = { folder: logFolder(room, live.id), finished: live.finished.signal };
  room.shippers.ship(logOrigin(live.record), settings, source);
}
