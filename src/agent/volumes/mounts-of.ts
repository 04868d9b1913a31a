import { join } from 'node:path';

import { StatusError } from '#base/errors.ts';
import type { MountRequest } from '#engine/runtime/container.ts';
import type { Container, VolumeMount } from '#kube/types/gen/core-v1.ts';

import { expand } from '../environment/expand.ts';
import type { Mounter } from './mounter.ts';
import type { OpenedVolume } from './opened-volume.ts';
import { makeBindTarget, openSubPath } from './sub-path.ts';

export interface MountsContext {
  readonly volumes: ReadonlyMap<string, OpenedVolume>;
  /** The container's own variables, for subPathExpr. */
  readonly environment: ReadonlyMap<string, string>;
  /** Folder of the pod in which parts of volumes are shown by binds that later renames do not move. */
  readonly folder: string;
  readonly mounter: Mounter;
}

const propagations: Readonly<Record<string, string>> = {
  None: 'rprivate',
  HostToContainer: 'rslave',
  Bidirectional: 'rshared',
};
const reaches = { Disabled: 'top', IfPossible: 'all-if-possible', Enabled: 'all' } as const;

/** The mounts of a container, with its parts of volumes made ready. Throws in upstream's words. */
export function mountsOf(container: Container, context: MountsContext): readonly MountRequest[] {
  if ((container.volumeDevices ?? []).length > 0)
    throw new StatusError('NotSupported', 'volumeDevices: this node has no block volumes; use volumeMode Filesystem');
  return (container.volumeMounts ?? []).map((mount, index) => mountOf(container, mount, index, context));
}

function mountOf(container: Container, mount: VolumeMount, index: number, context: MountsContext): MountRequest {
  const { name = '', mountPath = '' } = mount;
  const volume = context.volumes.get(name);
  if (volume === undefined)
    throw new StatusError('NotFound', `cannot find volume "${name}" to mount into container "${container.name ?? ''}"`);
  const readOnly = mount.readOnly === true || volume.readOnly;
  const common = {
    target: mountPath.startsWith('/') ? mountPath : `/${mountPath}`,
    readOnly,
    ...(readOnly && { readOnlyReach: reaches[(mount.recursiveReadOnly ?? 'Disabled') as keyof typeof reaches] }),
  };
  const subPath = subPathOf(mount, context.environment);
  if (volume.kind === 'engine')
    return {
      ...common,
      type: 'volume',
      source: volume.name,
      noCopy: true,
      ...(subPath !== '' && { subpath: subPath }),
    };
  const part = join(context.folder, name, container.name ?? '', String(index));
  const source = subPath === '' ? volume.path : bindPart(volume.path, subPath, part, container, mount, context.mounter);
  return {
    ...common,
    type: 'bind',
    source,
    propagation: propagations[mount.mountPropagation ?? 'None'] ?? 'rprivate',
  };
}

function subPathOf({ subPath = '', subPathExpr = '' }: VolumeMount, environment: ReadonlyMap<string, string>): string {
  const missing: string[] = [];
  const path =
    subPathExpr === ''
      ? subPath
      : expand(subPathExpr, (name) => {
          const value = environment.get(name);
          if (value === undefined) missing.push(name);
          return value;
        });
  if (missing[0] !== undefined) throw new StatusError('InvalidArgument', `missing value for "${missing[0]}"`);
  if (path.startsWith('/'))
    throw new StatusError('InvalidArgument', `error SubPath \`${path}\` must not be an absolute path`);
  if (path.split('/').includes('..'))
    throw new StatusError('InvalidArgument', `unable to provision SubPath \`${path}\`: must not contain '..'`);
  return path;
}

/** Shows a part of a volume at a place of the pod's own, which nobody who writes to the volume can lead elsewhere. */
function bindPart(
  volume: string,
  subPath: string,
  target: string,
  container: Container,
  mount: VolumeMount,
  mounter: Mounter,
): string {
  try {
    using part = openSubPath(volume, subPath);
    makeBindTarget(target, part);
    mounter.bind(part.path, target);
    return target;
  } catch (error) {
    const what = `failed to prepare subPath for volumeMount "${mount.name ?? ''}" of container "${container.name ?? ''}"`;
    const reason = error instanceof StatusError ? error.reason : 'Unavailable';
    throw new StatusError(reason, what, { cause: error });
  }
}
