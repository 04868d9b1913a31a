import { deadline, sleep } from '#base/clock.ts';
import { messageOf, StatusError } from '#base/errors.ts';
import { acceptsConnections } from '#base/sockets.ts';

import type { PortRequest } from '../network/networks.ts';
import { createContainer } from './create-container.ts';
import type { ContainerSpec } from './container.ts';
import type { ReplaceOptions } from './containers.ts';
import type { Lifecycle } from './lifecycle.ts';
import { eventAttributes, type LiveContainer } from './live-container.ts';
import { type ContainerRecord, isRunning, type Replacement } from './record.ts';
import type { Room } from './room.ts';
import { sandboxRequest } from './start-run.ts';

/** Without a health check and a port, who still runs after this is ready. */
const settleMs = 1_000;
const lookEveryMs = 50;
const connectMs = 1_000;
/** In the background, after a crash, nobody waits. */
const resumedDrainMs = 10_000;

/**
 * Puts a new container in the place of another: name, networks, published ports, volumes. What is meant is noted in the
 * new one's record: a daemon that is killed in between ends in the old one before the switch, in the new one after it.
 * When the new one does not become ready, it is removed, the old one goes on as it was, and Unavailable is thrown.
 */
export async function replaceContainer(
  room: Room,
  lifecycle: Lifecycle,
  old: LiveContainer,
  spec: ContainerSpec,
  options: ReplaceOptions,
  signal: AbortSignal,
): Promise<LiveContainer> {
  const start = isRunning(old.record);
  const startFirst = options.startFirst && start;
  if (startFirst) checkBeside(old.record);
  const { name } = old.record;
  const isNew = (port: PortRequest): boolean =>
    !old.record.spec.network.ports.some((other) => JSON.stringify(other) === JSON.stringify(port));
  // Those of the old one come over with the switch.
  const ports = spec.network.ports.filter(isNew);
  const replaces: Replacement = { id: old.id, name, start, switched: false, ports };
  const next = await createContainer(room, `${name}.next`, inheritVolumes(spec, old.record), { replaces }, signal);
  room.events.publish('container', 'create', next.id, eventAttributes(next.record));
  try {
    if (startFirst) {
      options.onProgress(`starting ${next.id.slice(0, 12)} beside ${old.id.slice(0, 12)}`);
      await lifecycle.start(next, signal);
      await becomesReady(room, next, deadline(options.readyMs, signal));
    }
    await lifecycle.alone(next, () => note(room, next, { ...replaces, switched: true }));
  } catch (error) {
    await abandon(room, lifecycle, next);
    throw error;
  }
  options.onProgress(startFirst ? 'ready; switching' : 'stopping the old container');
  await finish(room, lifecycle, next, options.drainMs, options.onProgress);
  return next;
}

/** What a killed daemon left in the middle of a replacement is brought to one of its ends. */
export async function resumeReplacement(room: Room, lifecycle: Lifecycle, next: LiveContainer): Promise<void> {
  const { replaces } = next.record;
  if (replaces === undefined) return;
  if (replaces.switched) await finish(room, lifecycle, next, resumedDrainMs, () => {});
  else await abandon(room, lifecycle, next);
}

/** From the switch on: idempotent, so that it can be done again after a crash at any of its steps. */
async function finish(
  room: Room,
  lifecycle: Lifecycle,
  next: LiveContainer,
  drainMs: number,
  onProgress: (text: string) => void,
): Promise<void> {
  const { replaces } = next.record;
  if (replaces === undefined) return;
  const old = room.table.find(replaces.id);
  const swap = async (): Promise<void> => lifecycle.alone(next, () => swapNames(room, old, next, replaces));
  await (old === undefined ? swap() : lifecycle.alone(old, swap));
  if (old !== undefined) {
    if (isRunning(next.record)) await drain(room, old, drainMs, onProgress);
    old.keepers += 1;
    try {
      await lifecycle.stop(old, {}, room.signal);
    } finally {
      old.keepers -= 1;
    }
  }
  if (replaces.start && !isRunning(next.record)) {
    try {
      await lifecycle.start(next, room.signal);
    } catch (error) {
      if (old === undefined) throw error;
      await lifecycle.alone(next, () => note(room, next, { ...replaces, switched: false }));
      await abandon(room, lifecycle, next);
      throw new StatusError(
        'Unavailable',
        `Cannot replace container "${replaces.name}": the new one does not start, the old one goes on: ${messageOf(error)}`,
        { cause: error },
      );
    }
  }
  if (old !== undefined) await lifecycle.remove(old, { force: true, volumes: false }, room.signal);
  await lifecycle.alone(next, () => note(room, next, undefined));
}

/** The old one goes on as if nothing had been. Idempotent. */
async function abandon(room: Room, lifecycle: Lifecycle, next: LiveContainer): Promise<void> {
  const { replaces } = next.record;
  if (replaces === undefined) return;
  const old = room.table.find(replaces.id);
  if (old !== undefined && old.record.name !== replaces.name)
    await lifecycle.alone(old, async () =>
      lifecycle.alone(next, async () => {
        await rename(room, next, `${replaces.name}.next`);
        await rename(room, old, replaces.name);
      }),
    );
  if (room.table.find(next.id) === next) {
    next.keepers += 1;
    await lifecycle.remove(next, { force: true, volumes: false }, room.signal);
  }
  if (old !== undefined && replaces.start && !isRunning(old.record)) await lifecycle.start(old, room.signal);
}

/** Both locks are held. Names and, when the new one runs, published ports change hands in one turn. */
async function swapNames(
  room: Room,
  old: LiveContainer | undefined,
  next: LiveContainer,
  { id, name }: Replacement,
): Promise<void> {
  const oldName = `${name}.old`;
  if (old?.record.name === name) await rename(room, old, oldName);
  await rename(room, next, name);
  if (isRunning(next.record)) await room.networks.takeOver(id, oldName, sandboxRequest(next.record));
}

async function rename(room: Room, live: LiveContainer, name: string): Promise<void> {
  const before = live.record.name;
  if (before === name) return;
  room.table.reserve(name, live.id);
  const record = { ...live.record, name };
  try {
    await room.records.save(record);
  } catch (error) {
    room.table.release(name, live.id);
    throw error;
  }
  live.record = record;
  room.table.release(before, live.id);
  room.events.publish('container', 'rename', live.id, { ...eventAttributes(record), oldName: `/${before}` });
}

async function note(room: Room, live: LiveContainer, replaces: Replacement | undefined): Promise<void> {
  const { replaces: _, ...rest } = live.record;
  live.record = replaces === undefined ? rest : { ...rest, replaces };
  await room.records.save(live.record);
}

/** The same anonymous volumes as before, at the same places. */
function inheritVolumes(spec: ContainerSpec, old: ContainerRecord): ContainerSpec {
  const nameAt = (target: string): string =>
    old.mounts.find(({ type, destination }) => type === 'volume' && destination === target)?.name ?? '';
  const mounts = spec.mounts.map((mount) =>
    mount.type === 'volume' && mount.source === '' ? { ...mount, source: nameAt(mount.target) } : mount,
  );
  return { ...spec, mounts };
}

/** Two containers cannot have one address. */
function checkBeside({ name, spec }: ContainerRecord): void {
  const { mode, endpoints } = spec.network;
  const refuse = (state: string): StatusError =>
    new StatusError('InvalidArgument', `Cannot start a second "${name}" beside it: ${state}; leave --start-first away`);
  if (mode === 'host' || mode === 'container') throw refuse('it has no network of its own');
  for (const { network, ipv4Address = '', ipv6Address = '', macAddress = '' } of endpoints)
    if (ipv4Address + ipv6Address + macAddress !== '') throw refuse(`it has a fixed address on network ${network}`);
}

/** Its health check says so, or its published TCP ports are open, or it has not ended after a while. */
async function becomesReady(room: Room, live: LiveContainer, signal: AbortSignal): Promise<void> {
  const { spec } = live.record;
  const ports = spec.network.ports
    .filter(({ protocol }) => protocol === 'tcp')
    .map(({ containerPort }) => containerPort);
  const isReady = async (): Promise<boolean> => {
    if (live.health !== undefined) return live.health.status === 'healthy';
    const address = room.networks.sandbox(live.id)?.endpoints[0]?.ipv4Address ?? '';
    for (const port of new Set(ports))
      if (!(await acceptsConnections({ host: address, port, signal: deadline(connectMs) }))) return false;
    return true;
  };
  try {
    if (live.health === undefined && ports.length === 0) await sleep(settleMs, signal);
    for (;;) {
      if (!isRunning(live.record)) throw notReady(live, `it ended with code ${String(live.record.state.exitCode)}`);
      if (live.health?.status === 'unhealthy') throw notReady(live, 'its health check says that it is unhealthy');
      if (await isReady()) return;
      await sleep(lookEveryMs, signal);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
    throw notReady(live, 'it took too long');
  }
}

function notReady({ record }: LiveContainer, state: string): StatusError {
  return new StatusError(
    'Unavailable',
    `Cannot replace container "${record.replaces?.name ?? ''}": the new one is not ready, ${state}; the old one goes on`,
  );
}

/** Waits until nobody speaks to the old one any more, within bounds. */
async function drain(
  room: Room,
  old: LiveContainer,
  drainMs: number,
  onProgress: (text: string) => void,
): Promise<void> {
  const limit = deadline(drainMs, room.signal);
  const first = room.networks.inboundConnections(old.id);
  if (first > 0) onProgress(`waiting for ${String(first)} connections to the old container`);
  while (room.networks.inboundConnections(old.id) > 0 && !limit.aborted)
    await sleep(lookEveryMs, limit).catch(() => {});
}
