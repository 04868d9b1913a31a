import type { Container, Volume, VolumeMount } from '../../types/gen/core-v1.ts';
import { forbidden, invalid, notFound, notSupported, required } from '../faults.ts';
import type { Faults } from '../object-meta.ts';
import { descendingPathFaults } from './paths.ts';

export type Volumes = ReadonlyMap<string, Volume>;

/** Where a container has its volumes: as folders and files, or as devices. */
export function* mountFaults(container: Container, volumes: Volumes, path: string): Faults {
  const mounts = container.volumeMounts ?? [];
  const devices = container.volumeDevices ?? [];
  const taken = new Set<string>();
  for (const [index, mount] of mounts.entries()) {
    const at = `${path}.volumeMounts[${String(index)}]`;
    const { name = '', mountPath = '' } = mount;
    if (name === '') yield required(`${at}.name`);
    if (!volumes.has(name)) yield notFound(`${at}.name`, name);
    if (mountPath === '') yield required(`${at}.mountPath`);
    if (taken.has(mountPath)) yield invalid(`${at}.mountPath`, mountPath, 'must be unique');
    taken.add(mountPath);
    if (devices.some((device) => device.name === name))
      yield invalid(`${at}.name`, name, 'must not already exist in volumeDevices');
    if (devices.some((device) => device.devicePath === mountPath))
      yield invalid(`${at}.mountPath`, mountPath, 'must not already exist as a path in volumeDevices');
    yield* subPathFaults(mount, volumes.get(name), at, `${path}.volumeMounts`);
    yield* propagationFaults(mount, container, `${path}.volumeMounts`);
  }
  yield* deviceFaults(container, volumes, `${path}.volumeDevices`);
}

/** Upstream names the list, not the mount, for these. */
function* subPathFaults(mount: VolumeMount, volume: Volume | undefined, at: string, list: string): Faults {
  for (const field of ['subPath', 'subPathExpr'] as const) {
    const target = mount[field] ?? '';
    if (target === '') continue;
    if (volume?.image !== undefined) yield invalid(`${at}.${field}`, target, 'not allowed in image volume sources');
    if (field === 'subPathExpr' && (mount.subPath ?? '') !== '')
      yield invalid(`${at}.${field}`, target, 'subPathExpr and subPath are mutually exclusive');
    yield* descendingPathFaults(`${list}.${field}`, target);
  }
}

const propagations = ['Bidirectional', 'HostToContainer', 'None'];
const recursions = ['Disabled', 'Enabled', 'IfPossible'];

function* propagationFaults(mount: VolumeMount, container: Container, list: string): Faults {
  const { mountPropagation: propagation, recursiveReadOnly: recursion } = mount;
  const path = `${list}.mountPropagation`;
  if (propagation !== undefined) {
    if (!propagations.includes(propagation)) yield notSupported(path, propagation, propagations);
    if (propagation === 'Bidirectional' && container.securityContext?.privileged !== true)
      yield forbidden(path, 'Bidirectional mount propagation is available only to privileged containers');
  }
  if (recursion === undefined || recursion === 'Disabled') return;
  if (!recursions.includes(recursion)) {
    yield notSupported(`${list}.recursiveReadOnly`, recursion, recursions);
    return;
  }
  if (mount.readOnly !== true)
    yield forbidden(`${list}.recursiveReadOnly`, 'may only be specified when readOnly is true');
  if (propagation !== undefined && propagation !== 'None')
    yield forbidden(
      `${list}.recursiveReadOnly`,
      'may only be specified when mountPropagation is None or not specified',
    );
}

function* deviceFaults(container: Container, volumes: Volumes, path: string): Faults {
  const mounts = container.volumeMounts ?? [];
  const [names, targets] = [new Set<string>(), new Set<string>()];
  for (const [index, { name = '', devicePath = '' }] of (container.volumeDevices ?? []).entries()) {
    const at = `${path}[${String(index)}]`;
    const volume = volumes.get(name);
    if (name === '') yield required(`${at}.name`);
    if (names.has(name)) yield invalid(`${at}.name`, name, 'must be unique');
    if (volume === undefined) yield notFound(`${at}.name`, name);
    else if (volume.persistentVolumeClaim === undefined && volume.ephemeral === undefined)
      yield invalid(
        `${at}.name`,
        name,
        'can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode',
      );
    if (devicePath === '') yield required(`${at}.devicePath`);
    if (targets.has(devicePath)) yield invalid(`${at}.devicePath`, devicePath, 'must be unique');
    if (devicePath.split('/').includes('..'))
      yield invalid(`${at}.devicePath`, devicePath, "can not contain backsteps ('..')");
    else targets.add(devicePath);
    if (mounts.some((mount) => mount.name === name))
      yield invalid(`${at}.name`, name, 'must not already exist in volumeMounts');
    if (mounts.some((mount) => mount.mountPath === devicePath))
      yield invalid(`${at}.devicePath`, devicePath, 'must not already exist as a path in volumeMounts');
    if (name !== '') names.add(name);
  }
}
