import type { RoleBinding } from '../../types/gen/rbac-v1.ts';
import { pathSegmentFaults } from '../../validation/names.ts';
import { defineKind } from '../define-kind.ts';
import { bindingColumns } from './binding-columns.ts';
import { setBindingDefaults } from './subject-defaults.ts';
import { bindingFaults } from './rbac-rules.ts';

export const roleBinding = defineKind<RoleBinding>({
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  kind: 'RoleBinding',
  plural: 'rolebindings',
  createsOnUpdate: true,
  columns: bindingColumns,
  nameRule: pathSegmentFaults,
  setDefaults: setBindingDefaults,
  validate: (object, old) => bindingFaults(object, old, ['Role', 'ClusterRole']),
});
