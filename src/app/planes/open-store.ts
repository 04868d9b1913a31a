import { readFile } from 'node:fs/promises';

import { messageOf, StatusError } from '#base/errors.ts';
import type { EtcdTls } from '#store/etcd/etcd-connection.ts';
import { openSqliteStore } from '#store/sqlite/open-sqlite-store.ts';
import type { Store } from '#store/store.ts';

import type { ValuesOf } from '../setting.ts';
import { parseStoreUrl, type storeSettings } from './store-settings.ts';

export type StoreSettings = ValuesOf<typeof storeSettings>;

export interface OpenedStore {
  readonly store: Store;
  /** Nobody else writes to it. */
  readonly isExclusive: boolean;
}

/** Only the present state of leases is kept, and heartbeats of nodes do not wait for the disk. */
const leases = {
  currentOnly: ['/registry/coordination.k8s.io/leases/'],
  lazy: ['/registry/coordination.k8s.io/leases/kube-node-lease/'],
};

/** The store that the settings choose: a database in the folder, or etcd. Throws InvalidArgument, Unavailable. */
export async function openStore(settings: StoreSettings, folder: string, signal: AbortSignal): Promise<OpenedStore> {
  const address = parseStoreUrl(settings.url);
  if (address === undefined) return { store: await openSqliteStore(folder, leases), isExclusive: true };
  const tls = await readTls(settings);
  const isSecure = address.scheme === 'https' || (address.scheme === 'etcd' && tls !== undefined);
  const members = address.members.map((member) => `${isSecure ? 'https' : 'http'}://${member}`);
  const { openEtcdStore } = await import('#store/etcd/open-etcd-store.ts');
  const options = { ...(tls === undefined ? {} : { tls }), prefix: address.prefix };
  return { store: await openEtcdStore(members.join(), options, signal), isExclusive: false };
}

/** undefined: nothing is set. */
async function readTls({ caPath, certificatePath, keyPath }: StoreSettings): Promise<EtcdTls | undefined> {
  if ((certificatePath === '') !== (keyPath === ''))
    throw new StatusError(
      'InvalidArgument',
      'Cannot open the store: store.certificatePath and store.keyPath belong together; set both or neither',
    );
  if (caPath === '' && certificatePath === '') return undefined;
  const read = async (setting: string, path: string): Promise<string | undefined> =>
    path === ''
      ? undefined
      : await readFile(path, 'utf8').catch((cause: unknown) => {
          throw new StatusError('InvalidArgument', `Cannot read ${setting} "${path}": ${messageOf(cause)}`, { cause });
        });
  const ca = await read('store.caPath', caPath);
  const certificate = await read('store.certificatePath', certificatePath);
  const key = await read('store.keyPath', keyPath);
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(certificate === undefined || key === undefined ? {} : { client: { certificate, key } }),
  };
}
