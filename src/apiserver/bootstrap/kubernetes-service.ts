import { ApiError } from '#kube/status.ts';

import type { Objects } from '../auth/objects.ts';
import { apiServiceAddress } from '../services/service-addresses.ts';

const of = { group: '', resource: 'services' };
const labels = { component: 'apiserver', provider: 'kubernetes' };

/** The service `kubernetes`, by which pods reach the API; its endpoints are kept by `keepApiEndpoints`. */
export async function createKubernetesService(objects: Objects, port: number, signal: AbortSignal): Promise<void> {
  if ((await objects.get(of, 'default', 'kubernetes', signal)) !== undefined) return;
  const service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'kubernetes', namespace: 'default', labels },
    spec: {
      type: 'ClusterIP',
      clusterIP: apiServiceAddress,
      clusterIPs: [apiServiceAddress],
      ipFamilies: ['IPv4'],
      ipFamilyPolicy: 'SingleStack',
      internalTrafficPolicy: 'Cluster',
      sessionAffinity: 'None',
      ports: [{ name: 'https', port: 443, protocol: 'TCP', targetPort: port }],
    },
  };
  await objects.create(of, service, signal).catch((error: unknown) => {
    // Another server on the same store was quicker.
    if (!(error instanceof ApiError) || error.statusReason !== 'AlreadyExists') throw error;
  });
}
