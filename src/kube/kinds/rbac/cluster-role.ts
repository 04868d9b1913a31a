import type { ClusterRole } from '../../types/gen/rbac-v1.ts';
import { pathSegmentFaults } from '../../validation/names.ts';
import { defineKind } from '../define-kind.ts';

export const clusterRole = defineKind<ClusterRole>({
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  kind: 'ClusterRole',
  plural: 'clusterroles',
  scope: 'Cluster',
  nameRule: pathSegmentFaults,
});
