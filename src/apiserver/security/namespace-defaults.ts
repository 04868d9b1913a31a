import { objectOf } from '#kube/fields.ts';
import type { Resource } from '#kube/resource.ts';

import type { Objects } from '../auth/objects.ts';
import { ensure, forEachPut, isReason } from './ensure.ts';

const namespaces = { group: '', resource: 'namespaces' };
const serviceAccounts = { group: '', resource: 'serviceaccounts' };
const configMaps = { group: '', resource: 'configmaps' };
const bundleName = 'kube-root-ca.crt';
const bundleAnnotations = {
  'kubernetes.io/description':
    "The certificate of the authority by which pods check that they speak to this cluster's API server.",
};

/**
 * Keeps in each living namespace the account that pods have when they name none, and the authority's certificate that is
 * mounted beside its token. Runs until the signal aborts.
 */
export async function runNamespaceDefaults(
  objects: Objects,
  authorityPem: string,
  onError: (error: unknown) => void,
  signal: AbortSignal,
): Promise<void> {
  const mend = async (namespace: string): Promise<void> => {
    const found = await objects.get(namespaces, '', namespace, signal);
    if (found === undefined || isGoing(found)) return;
    await makeDefaults(objects, namespace, authorityPem, signal);
  };
  const mendAfterLoss = async (of: typeof configMaps, name: string): Promise<void> => {
    for await (const { type, object } of objects.follow(of, signal)) {
      if (object?.metadata.name !== name || type === 'synced') continue;
      if (type === 'put' && of === serviceAccounts) continue;
      await mend(object.metadata.namespace ?? '').catch((error: unknown) =>
        signal.aborted ? undefined : onError(error),
      );
    }
  };
  await Promise.all([
    forEachPut(objects, namespaces, async ({ metadata }) => await mend(metadata.name ?? ''), onError, signal),
    mendAfterLoss(serviceAccounts, 'default'),
    mendAfterLoss(configMaps, bundleName),
  ]);
}

/** Makes both in one namespace, for those who cannot wait for `runNamespaceDefaults`. */
export async function makeDefaults(
  objects: Objects,
  namespace: string,
  authorityPem: string,
  signal: AbortSignal,
): Promise<void> {
  await ensure(
    objects,
    serviceAccounts,
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace } },
    signal,
  );
  const data = { 'ca.crt': authorityPem };
  const metadata = { name: bundleName, namespace, annotations: bundleAnnotations };
  const bundle = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data };
  const stored = await objects.get(configMaps, namespace, bundleName, signal);
  if (stored === undefined) await ensure(objects, configMaps, bundle, signal);
  else if (objectOf(stored['data'])['ca.crt'] !== authorityPem)
    await objects.update(configMaps, { ...stored, data }, signal).catch((error: unknown) => {
      if (!isReason(error, 'Conflict', 'NotFound')) throw error;
    });
}

function isGoing(namespace: Resource): boolean {
  return namespace.metadata.deletionTimestamp !== undefined || objectOf(namespace['status'])['phase'] === 'Terminating';
}
