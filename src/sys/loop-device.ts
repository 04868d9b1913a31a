import { closeSync, constants, openSync, readdirSync, readFileSync, realpathSync } from 'node:fs';

import { hasCode } from './errno.ts';
import { systemCall } from './ffi.ts';

/** Numbers of include/uapi/linux/loop.h and of ext4 (Documentation/filesystems/ext4). */
const nextFree = 0x4c82;
const configure = 0x4c0a;
const setCapacity = 0x4c07;
const growExt4 = 0x4008_6610;
const autoclear = 4;
/** struct loop_config: fd, block size, struct loop_info64, reserved. */
const configBytes = 304;
const flagsOffset = 8 + 52;
/** Another program may take the free device before us. */
const maxAttempts = 64;

const ioctlNumber = systemCall('int ioctl(int fd, unsigned long request, long argument)');
const ioctlBuffer = systemCall('int ioctl(int fd, unsigned long request, void *argument)');

/** A block device that shows a file; it lives as long as it is open or mounted, whoever dies. */
export interface LoopDevice extends Disposable {
  readonly path: string;
}

/** Makes a file a block device (LOOP_CONFIGURE, Linux 5.8). Mount it, then dispose. */
export function attachLoop(file: string): LoopDevice {
  const fd = openSync(file, constants.O_RDWR);
  try {
    for (let attempt = 1; ; attempt += 1) {
      const device = tryAttach(fd);
      if (device !== undefined) return device;
      if (attempt === maxAttempts) throw new Error(`no free loop device after ${String(maxAttempts)} attempts`);
    }
  } finally {
    closeSync(fd);
  }
}

/** The file behind a device has grown: device and the ext4 that is mounted from it follow. */
export function growLoop(device: string, mountPoint: string, sizeBytes: number, blockBytes: number): void {
  const fd = openSync(device, constants.O_RDWR);
  try {
    ioctlNumber(device, fd, setCapacity, 0);
  } finally {
    closeSync(fd);
  }
  const blocks = Buffer.alloc(8);
  blocks.writeBigUInt64LE(BigInt(Math.floor(sizeBytes / blockBytes)));
  const root = openSync(mountPoint, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    ioctlBuffer(mountPoint, root, growExt4, blocks);
  } finally {
    closeSync(root);
  }
}

/** Whether a device still shows the file. */
export function hasLoop(file: string): boolean {
  const path = realpathSync(file);
  return readdirSync('/sys/block').some((name) => name.startsWith('loop') && backingFile(name) === path);
}

function backingFile(device: string): string | undefined {
  try {
    return readFileSync(`/sys/block/${device}/loop/backing_file`, 'utf8').trimEnd();
  } catch (error) {
    // One without a file has not got this.
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

function tryAttach(file: number): LoopDevice | undefined {
  const control = openSync('/dev/loop-control', constants.O_RDWR);
  let path: string;
  try {
    path = `/dev/loop${String(ioctlNumber('/dev/loop-control', control, nextFree, 0))}`;
  } finally {
    closeSync(control);
  }
  const fd = openSync(path, constants.O_RDWR);
  const config = Buffer.alloc(configBytes);
  config.writeUInt32LE(file, 0);
  config.writeUInt32LE(autoclear, flagsOffset);
  try {
    ioctlBuffer(path, fd, configure, config);
  } catch (error) {
    closeSync(fd);
    if (hasCode(error, 'EBUSY')) return undefined;
    throw error;
  }
  return { path, [Symbol.dispose]: () => closeSync(fd) };
}
