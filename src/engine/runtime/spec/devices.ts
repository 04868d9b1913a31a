import { readdirSync, realpathSync, statSync, type Stats } from 'node:fs';
import { join } from 'node:path';
import { StatusError } from '#base/errors.ts';
import { hasCode } from '#sys/errno.ts';
import type { BlockDeviceLimit, DeviceRequest } from '../container.ts';
import type { DeviceNumber, DeviceRule, RuntimeDevice } from './runtime-spec.ts';

export interface DeviceGrant {
  readonly devices: readonly RuntimeDevice[];
  readonly rules: readonly DeviceRule[];
}

/** Entries of /dev that a container has in its own way. */
const ownNames = new Set(['pts', 'shm', 'fd', 'mqueue', 'console', 'lxc', 'lxd-fuse', '.lxd-mounts', '.udev', '.lxc']);
const mostDevices = 4096;

/**
 * The devices that `--device` asks for, where a directory stands for all devices in it, and what `--device-cgroup-rule`
 * allows besides. Throws InvalidArgument.
 */
export function requestedDevices(requests: readonly DeviceRequest[], extraRules: readonly string[] = []): DeviceGrant {
  const devices: RuntimeDevice[] = [];
  const rules: DeviceRule[] = [];
  for (const request of requests) {
    if (!/^[rwm]{1,3}$/.test(request.permissions)) {
      throw new StatusError('InvalidArgument', `invalid device mode: ${request.permissions}`);
    }
    for (const device of devicesAt(request)) {
      devices.push(device);
      const type = device.type === 'b' ? 'b' : 'c';
      rules.push({ allow: true, type, major: device.major, minor: device.minor, access: request.permissions });
    }
  }
  return { devices, rules: [{ allow: false, access: 'rwm' }, ...rules, ...extraRules.map(parseDeviceRule)] };
}

/** `c 1:3 rwm`, with `a` for all types and `*` for all numbers (kernel, cgroup-v1/devices.rst). Throws InvalidArgument. */
export function parseDeviceRule(text: string): DeviceRule {
  const match = /^([abc]) (\d{1,9}|\*):(\d{1,9}|\*) ([rwm]{1,3})$/.exec(text);
  if (match === null) throw new StatusError('InvalidArgument', `invalid device cgroup rule format: '${text}'`);
  const [, type, major, minor, access = ''] = match;
  return {
    allow: true,
    type: type as 'a' | 'b' | 'c',
    ...(major !== '*' && { major: Number(major) }),
    ...(minor !== '*' && { minor: Number(minor) }),
    access,
  };
}

/** A limit with the numbers that its device has now. */
export type NumberedBlockLimit = Pick<BlockDeviceLimit, 'kind' | 'value'> & DeviceNumber;

/** Looks the devices of limits up. Throws InvalidArgument for what is no block device. */
export function numberedBlockLimits(limits: readonly BlockDeviceLimit[] = []): readonly NumberedBlockLimit[] {
  return limits.map(({ kind, path, value }) => {
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats?.isBlockDevice() !== true) {
      const state = stats === undefined ? 'it does not exist' : 'it is no block device';
      throw new StatusError('InvalidArgument', `Cannot limit the device "${path}": ${state}; name one of lsblk's list`);
    }
    return { kind, value, ...numbersOf(stats.rdev) };
  });
}

/** All devices of the host, for `--privileged`. */
export function allDevices(): DeviceGrant {
  return { devices: walk('/dev', '/dev'), rules: [{ allow: true, access: 'rwm' }] };
}

function devicesAt(request: DeviceRequest): readonly RuntimeDevice[] {
  try {
    const hostPath = realpathSync(request.hostPath);
    const stats = statSync(hostPath);
    if (stats.isDirectory()) return walk(hostPath, request.containerPath);
    const device = deviceOf(stats, request.containerPath);
    if (device !== undefined) return [device];
  } catch (error) {
    if (!hasCode(error, 'ENOENT', 'ENOTDIR', 'EACCES', 'ELOOP')) throw error;
    throw new StatusError(
      'InvalidArgument',
      `error gathering device information while adding custom device "${request.hostPath}": no such file or directory`,
      { cause: error },
    );
  }
  throw new StatusError(
    'InvalidArgument',
    `error gathering device information while adding custom device "${request.hostPath}": not a device node`,
  );
}

function walk(hostDir: string, containerDir: string): readonly RuntimeDevice[] {
  const found: RuntimeDevice[] = [];
  const pending = [{ host: hostDir, container: containerDir }];
  for (let next = pending.pop(); next !== undefined && found.length < mostDevices; next = pending.pop()) {
    for (const entry of readdirSync(next.host, { withFileTypes: true })) {
      if (next.host === '/dev' && ownNames.has(entry.name)) continue;
      const host = join(next.host, entry.name);
      const container = join(next.container, entry.name);
      if (entry.isDirectory()) pending.push({ host, container });
      // Links are left alone: their targets come by themselves.
      if (!entry.isCharacterDevice() && !entry.isBlockDevice()) continue;
      const stats = statSync(host, { throwIfNoEntry: false });
      const device = stats === undefined ? undefined : deviceOf(stats, container);
      if (device !== undefined) found.push(device);
    }
  }
  return found;
}

function deviceOf(stats: Stats, path: string): RuntimeDevice | undefined {
  if (!stats.isCharacterDevice() && !stats.isBlockDevice()) return undefined;
  return {
    path,
    type: stats.isBlockDevice() ? 'b' : 'c',
    ...numbersOf(stats.rdev),
    fileMode: stats.mode & 0o7777,
    uid: stats.uid,
    gid: stats.gid,
  };
}

/** glibc's gnu_dev_major and gnu_dev_minor for device numbers below 2^32, which is all that Linux has. */
function numbersOf(rdev: number): { readonly major: number; readonly minor: number } {
  return { major: (rdev >>> 8) & 0xfff, minor: (rdev & 0xff) | ((rdev >>> 12) & 0xfff00) };
}
