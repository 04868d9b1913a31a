import { nowNs } from '#base/clock.ts';
import { StatusError } from '#base/errors.ts';
import { newId } from '#base/ids.ts';

import { checkLog } from '../logs/check-log.ts';
import type { ContainerSpec, MountPoint } from './container.ts';
import { healthOnFailure } from './health-on-failure.ts';
import { LiveContainer } from './live-container.ts';
import { checkName, inventName } from './names.ts';
import { type ContainerRecord, initialState } from './record.ts';
import { checkTargets, claimMount, createImageMounts, removeImageMounts } from './resolve-mounts.ts';
import type { Room } from './room.ts';
import { logOrigin } from './run-log.ts';
import { checkOwner } from './run-owner.ts';
import { signalNumber } from './signals.ts';
import { resolveCapabilities } from './spec/capabilities.ts';
import { numberedBlockLimits, parseDeviceRule } from './spec/devices.ts';
import { runtimeResources } from './spec/resources.ts';
import { parseSecurityOptions } from './spec/security-options.ts';
import { resolveUlimits } from './spec/ulimits.ts';
import { sandboxRequest } from './start-run.ts';
import { formatTime } from './timestamps.ts';

/** Makes a container: all that can be checked is checked first; a failure leaves nothing behind. */
export async function createContainer(
  room: Room,
  wantedName: string | undefined,
  spec: ContainerSpec,
  notes: Pick<ContainerRecord, 'replaces'>,
  signal: AbortSignal,
): Promise<LiveContainer> {
  const id = newId();
  const name = wantedName === undefined ? inventName((taken) => room.table.isTaken(taken)) : checkName(wantedName);
  const complete = { ...spec, hostname: spec.hostname === '' ? id.slice(0, 12) : spec.hostname };
  checkSpec(room, complete);
  const image = room.images.get(spec.imageId);
  room.table.reserve(name, id);
  await using undo = new AsyncDisposableStack();
  undo.defer(() => room.table.release(name, id));
  const record: ContainerRecord = {
    ...notes,
    version: 1,
    id,
    name,
    createdAt: formatTime(nowNs()),
    spec: complete,
    mounts: [],
    state: initialState,
    hasRun: false,
    manuallyStopped: false,
    lastDelayMs: 0,
  };
  checkLog(logOrigin(record), room.journalSocket);
  room.networks.check(sandboxRequest(record));
  const existing = new Set(room.volumes.list().map((volume) => volume.name));
  const mounts: MountPoint[] = [];
  const newNames = complete.mounts.map(() => newId());
  undo.defer(() => room.records.remove(id));
  await noteIntent(room, record, newNames);
  undo.defer(async () => {
    for (const point of mounts) {
      if (point.type !== 'volume') continue;
      room.volumes.release(point.name, id);
      if (!existing.has(point.name) && room.volumes.holders(point.name).length === 0)
        await room.volumes.remove(point.name, true);
    }
  });
  for (const [index, mount] of complete.mounts.entries()) {
    const point = await claimMount(mount, room, newNames[index]);
    mounts.push(point);
    if (point.type === 'volume') room.volumes.hold(point.name, id);
  }
  undo.defer(() => removeImageMounts(room, id, complete));
  await createImageMounts(room, id, complete);
  await room.snapshots.create(id, image.topLayer);
  undo.defer(() => room.snapshots.remove(id));
  signal.throwIfAborted();
  const live = new LiveContainer({ ...record, mounts });
  await room.records.save(live.record);
  undo.move();
  room.table.add(live);
  return live;
}

/**
 * Anonymous volumes outlive containers, so that nobody could tell one whose container was never made from one that is kept:
 * should this process end on the way, the next one finds a container that is being removed with its volumes.
 */
async function noteIntent(room: Room, record: ContainerRecord, newNames: readonly string[]): Promise<void> {
  const mounts = record.spec.mounts.flatMap((mount, index): readonly MountPoint[] => {
    const { type, source, target, readOnly } = mount;
    if (type !== 'volume' || source !== '') return [];
    return [{ type, name: newNames[index] ?? '', source, destination: target, readOnly, propagation: '' }];
  });
  if (mounts.length === 0) return;
  const state = { ...record.state, status: 'removing' as const };
  await room.records.save({ ...record, mounts, state, removeVolumes: true });
}

/** What the start would refuse for reasons that are known now. */
export function checkSpec(room: Room, spec: ContainerSpec): void {
  if (spec.args.length === 0) throw new StatusError('InvalidArgument', 'no command specified');
  checkTargets(spec.mounts);
  checkOwner(room.userMaps, spec);
  healthOnFailure(spec.labels);
  parseSecurityOptions(spec.securityOptions);
  resolveUlimits(spec.ulimits, room.host.hardLimits);
  resolveCapabilities(spec, room.host.capabilities);
  runtimeResources(spec.limits, room.host, undefined, numberedBlockLimits(spec.limits.blockDevices));
  spec.deviceRules?.forEach(parseDeviceRule);
  if (spec.stopSignal !== '') signalNumber(spec.stopSignal);
  if (spec.cwd !== '' && !spec.cwd.startsWith('/'))
    throw new StatusError(
      'InvalidArgument',
      `the working directory '${spec.cwd}' is invalid, it needs to be an absolute path`,
    );
}
