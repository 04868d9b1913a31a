import { objectOf } from '#kube/fields.ts';
import { notFound } from '#kube/status.ts';

import type { Objects } from '../../auth/objects.ts';
import type { AdmissionPlugin } from '../admission.ts';
import { isAbout, refusal } from '../refusal.ts';

const namespaces = { group: '', resource: 'namespaces' };
const immortal = ['default', 'kube-system', 'kube-public'];

/** Nothing is made in a namespace that is not there or is going; some namespaces stay. */
export function namespaceLifecycle(objects: Objects): AdmissionPlugin {
  return {
    name: 'NamespaceLifecycle',
    mutate: async (request, signal) => {
      const { operation, namespace, name, resource } = request;
      if (operation === 'DELETE' && isAbout(request, '', 'namespaces') && immortal.includes(name))
        throw refusal(request, 'this namespace may not be deleted');
      if (operation !== 'CREATE' || namespace === '' || resource.resource === 'localsubjectaccessreviews') return;
      if (resource.group === '' && resource.resource === 'namespaces') return;
      const found = await objects.get(namespaces, '', namespace, signal);
      if (found === undefined) throw notFound(namespaces, namespace);
      if (objectOf(found['status'])['phase'] !== 'Terminating' && found.metadata.deletionTimestamp === undefined)
        return;
      const why = `unable to create new content in namespace ${namespace} because it is being terminated`;
      const message = `namespace ${namespace} is being terminated`;
      throw refusal(request, why, [{ reason: 'NamespaceTerminating', message, field: 'metadata.namespace' }]);
    },
  };
}
