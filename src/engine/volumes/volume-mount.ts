import { join } from 'node:path';
import { getSystemErrorMessage } from 'node:util';

import { deadline } from '#base/clock.ts';
import { StatusError } from '#base/errors.ts';
import { SystemError } from '#sys/errno.ts';
import { isMountPoint } from '#sys/mount-info.ts';
import { mountInThread } from '#sys/mount-in-thread.ts';
import { parseMountOptions } from '#sys/mount-options.ts';
import { mountFilesystem, unmountSurely } from '#sys/mounts.ts';

import { resolveDevice } from './resolve-device.ts';
import { mountImage } from './size-image.ts';
import { needsMount, sizeLimitOf, type VolumeDefinition } from './volume-definition.ts';

/** Longer than the kernel tries to reach a server. */
const networkMountMs = 180_000;
const networkTypes: ReadonlySet<string> = new Set(['nfs', 'nfs4', 'cifs', 'smb3', 'ceph', '9p']);

/** Makes the data of a volume reachable at `_data` in its folder; one that lies there itself needs nothing. */
export async function mountVolume(volume: VolumeDefinition, folder: string, signal: AbortSignal): Promise<void> {
  const target = join(folder, '_data');
  if (!needsMount(volume) || isMountPoint(target)) return;
  if (sizeLimitOf(volume) === undefined) await mountDevice(volume, target, signal);
  else mountImage(folder);
}

/** Takes every mount away, so that removing the folder cannot reach into what was mounted; without one nothing happens. */
export function unmountAll(target: string): void {
  while (isMountPoint(target)) unmountSurely(target);
}

async function mountDevice({ options }: VolumeDefinition, target: string, signal: AbortSignal): Promise<void> {
  const { type = '' } = options;
  const { device, words: given } = await resolveDevice(options);
  const words = type === 'tmpfs' ? ['nosuid', 'nodev', ...given] : given;
  try {
    if (networkTypes.has(type))
      await mountInThread({ type, source: device, target, words }, deadline(networkMountMs, signal));
    else mountFilesystem(type, device, target, words);
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    throw mountFailure({ type, device, target, words: given }, error);
  }
}

/** Docker's words, with what can be done about it. */
function mountFailure(
  mount: { readonly type: string; readonly device: string; readonly target: string; readonly words: readonly string[] },
  error: SystemError,
): StatusError {
  const { flags, data } = parseMountOptions(mount.words);
  const details = [
    `mount ${mount.device}:${mount.target}`,
    ...(flags === 0 ? [] : [`flags: 0x${flags.toString(16)}`]),
    ...(data === '' ? [] : [`data: ${data.replace(/((?:^|,)pass(?:word)?2?=)[^,]*/g, '$1********')}`]),
  ];
  const state = `error while mounting volume '${mount.target}': failed to mount local volume: ${details.join(', ')}`;
  const message = `${state}: ${getSystemErrorMessage(-error.errno)}`;
  if (error.code === 'ENODEV')
    return new StatusError(
      'NotSupported',
      `${message}; this kernel has no filesystem "${mount.type}", load its module or use another type`,
      { cause: error },
    );
  return new StatusError('Unavailable', `${message}; correct the options of the volume, or make what they name`, {
    cause: error,
  });
}
