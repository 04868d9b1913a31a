import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { StatusError } from '#base/errors.ts';

import type { ResourceLimits, RestartPolicy } from './container.ts';
import { splitLimits, writeLimits } from './crun-limits.ts';
import { eventAttributes, type LiveContainer } from './live-container.ts';
import { isRunning, runtimeOf } from './record.ts';
import type { Room } from './room.ts';
import { runRuntime } from './runtime-command.ts';
import { numberedBlockLimits } from './spec/devices.ts';
import { runtimeResources } from './spec/resources.ts';

export interface ContainerChange {
  readonly limits?: ResourceLimits;
  readonly restart?: RestartPolicy;
}

/** Changes limits and restart policy, at once when it runs. The caller holds its lock. */
export async function changeContainer(room: Room, live: LiveContainer, change: ContainerChange): Promise<void> {
  const { spec } = live.record;
  if (change.restart !== undefined && change.restart.name !== 'no' && spec.autoRemove)
    throw new StatusError(
      'Conflict',
      'Restart policy cannot be updated because AutoRemove is enabled for the container',
    );
  const limits = { ...spec.limits, ...change.limits };
  const resources = runtimeResources(limits, room.host, undefined, numberedBlockLimits(limits.blockDevices));
  if (change.limits !== undefined && isRunning(live.record)) {
    const path = join(room.paths.bundle(live.id).folder, 'resources.json');
    const { given, own } = splitLimits(runtimeOf(live.record), resources, room.cgroups.mode);
    writeFileSync(path, JSON.stringify(given), { mode: 0o600 });
    await runRuntime(room, live.record, ['update', '--resources', path]);
    writeLimits(room.cgroups, live.record.run?.cgroupPath ?? '', own);
  }
  live.record = { ...live.record, spec: { ...spec, limits, restart: change.restart ?? spec.restart } };
  await room.records.save(live.record);
  room.events.publish('container', 'update', live.id, eventAttributes(live.record));
}
