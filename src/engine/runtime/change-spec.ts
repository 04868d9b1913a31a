import { isDeepStrictEqual } from 'node:util';

import { messageOf, StatusError } from '#base/errors.ts';

import { checkSpec } from './create-container.ts';
import type { ContainerSpec, MountPoint } from './container.ts';
import type { ReplaceOptions } from './containers.ts';
import type { Lifecycle } from './lifecycle.ts';
import { eventAttributes, type LiveContainer } from './live-container.ts';
import { type ContainerRecord, isRunning, type SpecChange } from './record.ts';
import { claimMount, createImageMounts, hasSameImageMounts, removeImageMounts } from './resolve-mounts.ts';
import { replaceContainer } from './replacement.ts';
import type { Room } from './room.ts';
import { sandboxRequest } from './start-run.ts';

/** See `Containers.change`. */
export async function changeSpec(
  room: Room,
  lifecycle: Lifecycle,
  live: LiveContainer,
  spec: ContainerSpec,
  options: ReplaceOptions,
  signal: AbortSignal,
): Promise<LiveContainer> {
  const { record } = live;
  if (record.replaces !== undefined || record.change !== undefined || isBeingReplaced(room, live))
    throw new StatusError('Conflict', `Cannot change container "${record.name}": it is being changed; wait for that`);
  if (options.startFirst || spec.imageId !== record.spec.imageId)
    return replaceContainer(room, lifecycle, live, spec, options, signal);
  if (needsNewProcess(record.spec, spec)) await changeInPlace(room, lifecycle, live, spec, options.onProgress);
  else if (!isDeepStrictEqual(record.spec.network.ports, spec.network.ports))
    await lifecycle.alone(live, () => changePublished(room, live, spec));
  return live;
}

function isBeingReplaced(room: Room, live: LiveContainer): boolean {
  return [...room.table.values()].some(({ record }) => record.replaces?.id === live.id);
}

/** Whether more differs than published ports, and what has no effect on a process. */
function needsNewProcess(before: ContainerSpec, after: ContainerSpec): boolean {
  const rest = (spec: ContainerSpec): string =>
    JSON.stringify({ ...spec, origin: undefined, network: { ...spec.network, ports: [] } });
  return rest(before) !== rest(after);
}

/** Publishes other ports, at once when it runs. The caller holds its lock. */
async function changePublished(room: Room, live: LiveContainer, spec: ContainerSpec): Promise<void> {
  const record = { ...live.record, spec };
  room.networks.check(sandboxRequest(record));
  if (isRunning(live.record)) await room.networks.changePorts(live.id, spec.network.ports);
  live.record = record;
  await room.records.save(record);
  room.events.publish('container', 'update', live.id, eventAttributes(record));
}

/**
 * Ends a container and starts it with another spec: the same ID, name, addresses, volumes and files. What is meant is
 * noted first; a daemon that is killed in between goes on where it was. When it does not start so, it is started as it was
 * before, and Unavailable is thrown.
 */
async function changeInPlace(
  room: Room,
  lifecycle: Lifecycle,
  live: LiveContainer,
  spec: ContainerSpec,
  onProgress: (text: string) => void,
): Promise<void> {
  await lifecycle.alone(live, () => begin(room, live, spec));
  live.keepers += 1;
  try {
    onProgress('stopping the container, to start it again as it shall be');
    await lifecycle.stop(live, {}, room.signal);
    await finishChange(room, lifecycle, live);
  } finally {
    live.keepers -= 1;
  }
}

/** Brings a change to its end that was noted: after its container was stopped, or after a crash at any point. */
export async function finishChange(room: Room, lifecycle: Lifecycle, live: LiveContainer): Promise<void> {
  live.keepers += 1;
  try {
    await goOn(room, lifecycle, live);
  } finally {
    live.keepers -= 1;
  }
}

async function goOn(room: Room, lifecycle: Lifecycle, live: LiveContainer): Promise<void> {
  if (live.record.change?.step === 'stopping' && isRunning(live.record)) {
    await lifecycle.alone(live, () => end(room, live));
    return;
  }
  if (live.record.change?.step === 'stopping') await lifecycle.alone(live, () => swap(room, live, 'starting'));
  const { change } = live.record;
  if (change === undefined) return;
  try {
    if (change.start) await lifecycle.start(live, room.signal);
    await lifecycle.alone(live, () => end(room, live));
  } catch (error) {
    if (change.step === 'returning') throw error;
    await lifecycle.alone(live, () => swap(room, live, 'returning'));
    await goOn(room, lifecycle, live);
    throw new StatusError(
      'Unavailable',
      `Cannot change container "${live.record.name}": it does not start so, and runs as before: ${messageOf(error)}`,
      { cause: error },
    );
  }
}

async function begin(room: Room, live: LiveContainer, spec: ContainerSpec): Promise<void> {
  const { record } = live;
  const complete = { ...spec, hostname: spec.hostname === '' ? live.id.slice(0, 12) : spec.hostname };
  checkSpec(room, complete);
  room.networks.check(sandboxRequest({ ...record, spec: complete }));
  const mounts: MountPoint[] = [];
  for (const mount of complete.mounts) {
    const known = record.mounts.find((_, index) => JSON.stringify(record.spec.mounts[index]) === JSON.stringify(mount));
    const point = known ?? (await claimMount(mount, room));
    mounts.push(point);
    if (point.type === 'volume') room.volumes.hold(point.name, live.id);
  }
  const change: SpecChange = { step: 'stopping', spec: complete, mounts, start: isRunning(record) };
  live.record = { ...record, change };
  await room.records.save(live.record);
}

/** The container's spec and the noted one change places. */
async function swap(room: Room, live: LiveContainer, step: SpecChange['step']): Promise<void> {
  const { change, spec, mounts } = live.record;
  if (change === undefined) return;
  if (!hasSameImageMounts(spec, change.spec)) {
    // They hold nothing of their own.
    await removeImageMounts(room, live.id, spec);
    await removeImageMounts(room, live.id, change.spec);
    await createImageMounts(room, live.id, change.spec);
  }
  live.record = {
    ...live.record,
    spec: change.spec,
    mounts: change.mounts,
    change: { step, spec, mounts, start: change.start },
  };
  await room.records.save(live.record);
}

/** The change is over: what only the other spec wanted is let go. */
async function end(room: Room, live: LiveContainer): Promise<void> {
  const { change, ...rest } = live.record;
  if (change === undefined) return;
  live.record = rest;
  await room.records.save(rest);
  for (const name of volumesOf(change)) {
    if (volumesOf(rest).includes(name)) continue;
    room.volumes.release(name, live.id);
  }
  room.events.publish('container', 'update', live.id, eventAttributes(rest));
}

function volumesOf({ mounts }: Pick<ContainerRecord, 'mounts'>): readonly string[] {
  return mounts.filter(({ type }) => type === 'volume').map(({ name }) => name);
}
