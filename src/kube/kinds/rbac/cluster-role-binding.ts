import type { ClusterRoleBinding } from '../../types/gen/rbac-v1.ts';
import { pathSegmentFaults } from '../../validation/names.ts';
import { defineKind } from '../define-kind.ts';
import { bindingColumns } from './binding-columns.ts';
import { setBindingDefaults } from './subject-defaults.ts';
import { bindingFaults } from './rbac-rules.ts';

export const clusterRoleBinding = defineKind<ClusterRoleBinding>({
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  kind: 'ClusterRoleBinding',
  plural: 'clusterrolebindings',
  createsOnUpdate: true,
  scope: 'Cluster',
  columns: bindingColumns,
  nameRule: pathSegmentFaults,
  setDefaults: setBindingDefaults,
  validate: (object, old) => bindingFaults(object, old, ['ClusterRole']),
});
