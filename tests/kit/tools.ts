import { accessSync, constants } from 'node:fs';
import { dirname, join } from 'node:path';

/** The root of this source tree. */
export const repository = dirname(dirname(import.meta.dirname));

/** Where `./slipway test` unpacks programs and plugins of Docker's client that it does not install. */
const unpacked = ['usr/bin', 'usr/libexec/docker/cli-plugins'].map((folder) =>
  join(repository, '.cache/tools', folder),
);

/** The path of a program that tests use; throws with the way out when it is nowhere. */
export function toolPath(name: string): string {
  const folders = [...(process.env['PATH'] ?? '').split(':'), '/usr/sbin', '/sbin', ...unpacked];
  for (const folder of folders) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not here.
    }
  }
  throw new Error(`${name} is not installed; ./slipway test installs what the tests need`);
}

/** The path of one of Docker's plugins: the one that is unpacked for the tests, also where another is installed. */
export function pluginPath(name: string): string {
  const path = join(repository, '.cache/tools/usr/libexec/docker/cli-plugins', name);
  accessSync(path, constants.X_OK);
  return path;
}
