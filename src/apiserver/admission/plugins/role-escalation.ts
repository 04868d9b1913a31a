import { isDeepStrictEqual } from 'node:util';

import type { Authorizer } from '../../auth/authorizer.ts';
import { checkBinding, checkRole } from '../../auth/rbac/escalation.ts';
import { rbacGroup, roleRefOf, rbacResources, rulesOf, type RbacIndex } from '../../auth/rbac/rbac-index.ts';
import { isAggregated } from '../../auth/rbac/role-aggregation.ts';
import type { AdmissionPlugin } from '../admission.ts';

/**
 * Nobody gives more rights than he has. kube-apiserver does this in the storage of roles; here it is a link of the chain, so
 * that storage knows nothing of RBAC.
 */
export function roleEscalation(index: RbacIndex, authorizer: Authorizer): AdmissionPlugin {
  return {
    name: 'RoleEscalation',
    validate: ({ operation, resource: of, subresource, namespace, name, object, oldObject, user }) => {
      const resource = rbacResources.find((one) => of.group === rbacGroup && one === of.resource);
      const isWrite = operation === 'CREATE' || operation === 'UPDATE';
      if (!isWrite || resource === undefined || subresource !== '' || object === undefined) return;
      const write = { user, resource, namespace, name: object.metadata.name ?? name };
      if (resource === 'roles' || resource === 'clusterroles') {
        const isSame =
          oldObject !== undefined &&
          isDeepStrictEqual(rulesOf(object), rulesOf(oldObject)) &&
          isDeepStrictEqual(object['aggregationRule'], oldObject['aggregationRule']);
        if (!isSame) checkRole(write, rulesOf(object), isAggregated(object), index, authorizer);
        return;
      }
      // Labels of a binding, and who it binds no longer, give no rights.
      const isSame =
        oldObject !== undefined &&
        isDeepStrictEqual(object['subjects'], oldObject['subjects']) &&
        isDeepStrictEqual(object['roleRef'], oldObject['roleRef']);
      if (!isSame) checkBinding(write, roleRefOf(object), index, authorizer);
    },
  };
}
