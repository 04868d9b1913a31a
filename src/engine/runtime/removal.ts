import { eventAttributes, type LiveContainer } from './live-container.ts';
import type { ContainerRecord } from './record.ts';
import { closeMounts, removeImageMounts } from './resolve-mounts.ts';
import type { Room } from './room.ts';
import { removeLog } from './run-log.ts';

/** Removes a container that does not run; the caller holds its lock. Goes on where an earlier removal was cut off. */
export async function removeContainer(room: Room, live: LiveContainer, volumes: boolean): Promise<void> {
  const { table, records, snapshots, events } = room;
  live.cancelRestart();
  live.record = { ...live.record, removeVolumes: volumes, state: { ...live.record.state, status: 'removing' } };
  // Without it a removal that is cut off is found by the snapshot that is missing.
  records.noteFact(live.record);
  await removeLog(room, live.id);
  await snapshots.remove(live.id);
  await closeMounts(room, live.record);
  await removeImageMounts(room, live.id, live.record.spec);
  await releaseVolumes(room, live.record, volumes);
  // After loss of power a container that removes itself would be removed again.
  if (live.record.spec.autoRemove) records.forget(live.id);
  else await records.remove(live.id);
  table.remove(live);
  live.hub.finish();
  events.publish('container', 'destroy', live.id, eventAttributes(live.record));
}

async function releaseVolumes({ volumes }: Room, record: ContainerRecord, remove: boolean): Promise<void> {
  for (const { type, name } of record.mounts) {
    if (type !== 'volume') continue;
    volumes.release(name, record.id);
    if (!remove || volumes.find(name)?.anonymous !== true || volumes.holders(name).length > 0) continue;
    await volumes.remove(name, true);
  }
}
