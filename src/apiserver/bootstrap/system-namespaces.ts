import { ApiError } from '#kube/status.ts';

import type { Objects } from '../auth/objects.ts';

const names = ['default', 'kube-system', 'kube-public', 'kube-node-lease'];

/** Makes the namespaces that every cluster has, where they are missing. */
export async function createSystemNamespaces(objects: Objects, signal: AbortSignal): Promise<void> {
  await Promise.all(
    names.map(async (name) => {
      if ((await objects.get({ group: '', resource: 'namespaces' }, '', name, signal)) !== undefined) return;
      const metadata = { name, labels: { 'kubernetes.io/metadata.name': name } };
      const namespace = {
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata,
        spec: { finalizers: ['kubernetes'] },
        status: { phase: 'Active' },
      };
      await objects.create({ group: '', resource: 'namespaces' }, namespace, signal).catch(unlessThere);
    }),
  );
}

function unlessThere(error: unknown): void {
  if (!(error instanceof ApiError) || error.statusReason !== 'AlreadyExists') throw error;
}
