import type { Volume } from '#engine/volumes/volumes.ts';

/** A volume as list, create and inspect show it. */
export function volumeBody(volume: Volume, status?: object): object {
  return {
    CreatedAt: new Date(volume.createdAtMs).toISOString().replace(/\.\d+/, ''),
    Driver: 'local',
    Labels: volume.labels,
    Mountpoint: volume.mountpoint,
    Name: volume.name,
    Options: Object.keys(volume.options).length === 0 ? null : volume.options,
    Scope: 'local',
    ...(status !== undefined && { Status: status }),
  };
}
