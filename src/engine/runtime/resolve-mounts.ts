import { mkdirSync, statSync } from 'node:fs';

import { StatusError } from '#base/errors.ts';
import { newId } from '#base/ids.ts';

import { type Bundle, mountAlone, mountOwned, mountSubpath } from './bundle.ts';
import type { ContainerSpec, MountPoint, MountRequest } from './container.ts';
import type { ContainerRecord } from './record.ts';
import type { Room } from './room.ts';
import type { ResolvedMount } from './spec/mounts.ts';

type Sources = Pick<Room, 'volumes' | 'images' | 'snapshots'>;

/**
 * Makes the volume that a mount names and returns the mount as it is from now on: an anonymous one is called `newName`.
 * Throws InvalidArgument for a bind or image that is missing, with Docker's words.
 */
export async function claimMount(
  mount: MountRequest,
  { volumes, images }: Pick<Room, 'volumes' | 'images'>,
  newName = newId(),
): Promise<MountPoint> {
  const { type, source, target, readOnly } = mount;
  const base = {
    type,
    destination: target,
    readOnly,
    propagation: type === 'bind' ? (mount.propagation ?? 'rprivate') : '',
  };
  if (type === 'tmpfs') return { ...base, name: '', source: '' };
  if (type === 'image') {
    if (images.find(source) === undefined)
      // Not Docker's NotFound: clients would pull the container's image then.
      throw new StatusError(
        'InvalidArgument',
        `invalid mount config for type "image": No such image: ${source}; pull it first`,
      );
    return { ...base, name: '', source, readOnly: true };
  }
  if (type === 'bind') {
    if (mount.createSource !== true && statSync(source, { throwIfNoEntry: false }) === undefined)
      throw missingSource(source);
    return { ...base, name: '', source };
  }
  const volume = await volumes.create({
    ...(source === '' ? { name: newName, anonymous: true } : { name: source }),
    ...(mount.volumeLabels !== undefined && { labels: mount.volumeLabels }),
    ...(mount.volumeDriverOptions !== undefined && { options: mount.volumeDriverOptions }),
  });
  return { ...base, name: volume.name, source: volume.mountpoint };
}

/** Makes the snapshots that a container's image mounts show; they hold the images' layers. */
export async function createImageMounts(room: Sources, id: string, spec: ContainerSpec): Promise<void> {
  for (const { index, mount } of imageMounts(spec))
    await room.snapshots.create(snapshotId(id, index), room.images.get(mount.source).topLayer);
}

/** Idempotent. */
export async function removeImageMounts(room: Pick<Room, 'snapshots'>, id: string, spec: ContainerSpec): Promise<void> {
  for (const { index } of imageMounts(spec)) await room.snapshots.remove(snapshotId(id, index));
}

export function hasSameImageMounts(one: ContainerSpec, other: ContainerSpec): boolean {
  return JSON.stringify(imageMounts(one)) === JSON.stringify(imageMounts(other));
}

export interface MountPlace {
  readonly bundle: Bundle;
  /** The root filesystem, with owners as they are on the disk. */
  readonly root: string;
  /**
   * Descriptor of a user namespace that maps the owners in what the engine keeps, images and volumes; undefined: as they
   * are. Files of the user's, by a bind or a volume's device, belong to whom they belong.
   */
  readonly owners: number | undefined;
}

/** Makes the sources reachable for a start: volumes mounted and filled from the image, missing folders of `-v` made. */
export async function openMounts(
  room: Sources,
  record: Pick<ContainerRecord, 'id' | 'spec' | 'mounts'>,
  place: MountPlace,
  signal: AbortSignal,
): Promise<readonly ResolvedMount[]> {
  const opened: ResolvedMount[] = [];
  for (const [index, mount] of record.spec.mounts.entries()) {
    const point = record.mounts[index];
    if (point === undefined) continue;
    if (mount.type === 'tmpfs') {
      opened.push(tmpfsOf(mount));
      continue;
    }
    const { target, readOnlyReach, nonRecursive } = mount;
    const whole = await openSource(room, record.id, index, mount, point.name, place, signal);
    opened.push({
      type: 'bind',
      source: partOf(room, place, index, mount, point, whole),
      target,
      readOnly: mount.readOnly || mount.type === 'image',
      propagation: mount.propagation ?? '',
      ...(readOnlyReach !== undefined && { readOnlyReach }),
      ...(nonRecursive !== undefined && { nonRecursive }),
    });
  }
  return opened;
}

/** After a run: nothing of it stays mounted. Idempotent. */
export async function closeMounts(
  room: Sources,
  { id, spec, mounts }: Pick<ContainerRecord, 'id' | 'spec' | 'mounts'>,
): Promise<void> {
  for (const { index } of imageMounts(spec)) {
    const snapshot = snapshotId(id, index);
    if (room.snapshots.writables().includes(snapshot)) room.snapshots.unmount(snapshot);
  }
  for (const { type, name } of mounts) if (type === 'volume') await room.volumes.close(name, id);
}

async function openSource(
  room: Sources,
  id: string,
  index: number,
  mount: MountRequest,
  volume: string,
  { root, owners }: MountPlace,
  signal: AbortSignal,
): Promise<string> {
  if (mount.type === 'image')
    return room.snapshots.mount(snapshotId(id, index), { ...(owners !== undefined && { owners }) });
  if (mount.type === 'bind') {
    makeSource(mount);
    return mount.source;
  }
  const source = await room.volumes.open(volume, id, signal);
  // A part of a volume is not filled: it has to be there.
  if (mount.noCopy !== true && (mount.subpath ?? '') === '')
    await room.volumes.copyUp(volume, root, mount.target, signal);
  return source;
}

/** What the container sees of a source that was opened. */
function partOf(
  { volumes }: Sources,
  { bundle, owners }: MountPlace,
  index: number,
  { type, subpath = '', nonRecursive }: MountRequest,
  { name }: MountPoint,
  whole: string,
): string {
  const kept = type === 'volume' && volumes.get(name).options['device'] === undefined ? owners : undefined;
  if (subpath !== '') return mountSubpath(bundle, index, whole, subpath, kept);
  if (kept !== undefined) return mountOwned(bundle, index, whole, kept);
  return nonRecursive === true ? mountAlone(bundle, index, whole) : whole;
}

/** Begins with the container's ID, by which a sweep knows whose it is. */
function snapshotId(id: string, index: number): string {
  return `${id}-${String(index)}`;
}

function imageMounts(spec: ContainerSpec): readonly { readonly index: number; readonly mount: MountRequest }[] {
  return spec.mounts.map((mount, index) => ({ index, mount })).filter(({ mount }) => mount.type === 'image');
}

function tmpfsOf(mount: MountRequest): ResolvedMount {
  return {
    type: 'tmpfs',
    target: mount.target,
    readOnly: mount.readOnly,
    ...(mount.tmpfsSizeBytes !== undefined && { sizeBytes: mount.tmpfsSizeBytes }),
    ...(mount.tmpfsMode !== undefined && { mode: mount.tmpfsMode }),
    ...(mount.tmpfsOptions !== undefined && { options: mount.tmpfsOptions }),
  };
}

function makeSource(mount: MountRequest): void {
  if (statSync(mount.source, { throwIfNoEntry: false }) !== undefined) return;
  if (mount.createSource !== true) throw missingSource(mount.source);
  mkdirSync(mount.source, { recursive: true, mode: 0o755 });
}

function missingSource(source: string): StatusError {
  return new StatusError(
    'InvalidArgument',
    `invalid mount config for type "bind": bind source path does not exist: ${source}`,
  );
}

/** Throws InvalidArgument for two mounts at one place, or one in place of all. */
export function checkTargets(mounts: readonly MountRequest[]): void {
  const seen = new Set<string>();
  for (const { target } of mounts) {
    const plain = target.replace(/\/+$/, '') || '/';
    if (plain === '/') throw new StatusError('InvalidArgument', `invalid mount: destination can't be '/'`);
    if (seen.has(plain)) throw new StatusError('InvalidArgument', `Duplicate mount point: ${plain}`);
    seen.add(plain);
  }
}
