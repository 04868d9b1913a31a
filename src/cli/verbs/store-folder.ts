import { join } from 'node:path';

import { readConfig } from '#app/config.ts';
import type { InstancePaths } from '#app/instance-paths.ts';
import { StatusError } from '#base/errors.ts';

/** The folder of the store's database. Throws NotSupported when the store is somebody else's, who has tools of his own. */
export async function storeFolder(
  paths: InstancePaths,
  env: Readonly<Record<string, string | undefined>>,
  verb: string,
): Promise<string> {
  const { store } = await readConfig({ configFile: paths.configFile, env, flags: [] });
  if (store.url === '') return join(paths.data, 'store');
  throw new StatusError(
    'NotSupported',
    `Cannot ${verb} the store: it is etcd at ${store.url} (store.url); use etcdctl snapshot and endpoint hashkv there`,
  );
}
