import { mkdirSync, statSync } from 'node:fs';

import { StatusError } from '#base/errors.ts';

import type { Volumes } from '../volumes/volumes.ts';
import type { ContainerSpec, MountPoint, MountRequest } from './container.ts';
import type { ResolvedMount } from './spec/mounts.ts';

/**
 * Makes the volumes that a container's mounts name and returns the mounts as they are from now on: anonymous ones have a
 * name then. Throws InvalidArgument for a bind whose source is missing, with Docker's words.
 */
export async function claimMounts(spec: ContainerSpec, volumes: Volumes): Promise<readonly MountPoint[]> {
  checkTargets(spec.mounts);
  const points: MountPoint[] = [];
  for (const mount of spec.mounts) points.push(await claim(mount, volumes));
  return points;
}

async function claim(mount: MountRequest, volumes: Volumes): Promise<MountPoint> {
  const { type, source, target, readOnly } = mount;
  const base = {
    type,
    destination: target,
    readOnly,
    propagation: type === 'bind' ? (mount.propagation ?? 'rprivate') : '',
  };
  if (type === 'tmpfs') return { ...base, name: '', source: '' };
  if (type === 'bind') {
    if (mount.createSource !== true && statSync(source, { throwIfNoEntry: false }) === undefined)
      throw new StatusError(
        'InvalidArgument',
        `invalid mount config for type "bind": bind source path does not exist: ${source}`,
      );
    return { ...base, name: '', source };
  }
  const volume = await volumes.create({
    ...(source !== '' && { name: source }),
    ...(mount.volumeLabels !== undefined && { labels: mount.volumeLabels }),
    ...(mount.volumeDriverOptions !== undefined && { options: mount.volumeDriverOptions }),
  });
  return { ...base, name: volume.name, source: volume.mountpoint };
}

/** Makes the sources reachable for a start: volumes mounted and filled from the image, missing folders of `-v` made. */
export async function openMounts(
  spec: ContainerSpec,
  points: readonly MountPoint[],
  root: string,
  volumes: Volumes,
  signal: AbortSignal,
): Promise<readonly ResolvedMount[]> {
  const opened: ResolvedMount[] = [];
  for (const [index, mount] of spec.mounts.entries()) {
    const point = points[index];
    if (point === undefined) continue;
    const { target, readOnly } = mount;
    if (mount.type === 'tmpfs') opened.push(tmpfsOf(mount));
    else if (mount.type === 'bind') {
      makeSource(mount);
      opened.push({ type: 'bind', source: mount.source, target, readOnly, propagation: mount.propagation ?? '' });
    } else {
      const source = await volumes.open(point.name);
      if (mount.noCopy !== true) await volumes.copyUp(point.name, root, target, signal);
      opened.push({ type: 'bind', source, target, readOnly, propagation: '' });
    }
  }
  return opened;
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
  if (mount.createSource !== true)
    throw new StatusError(
      'InvalidArgument',
      `invalid mount config for type "bind": bind source path does not exist: ${mount.source}`,
    );
  mkdirSync(mount.source, { recursive: true, mode: 0o755 });
}

function checkTargets(mounts: readonly MountRequest[]): void {
  const seen = new Set<string>();
  for (const { target } of mounts) {
    const plain = target.replace(/\/+$/, '') || '/';
    if (plain === '/') throw new StatusError('InvalidArgument', `invalid mount: destination can't be '/'`);
    if (seen.has(plain)) throw new StatusError('InvalidArgument', `Duplicate mount point: ${plain}`);
    seen.add(plain);
  }
}
