import type { ClusterRole } from '../../types/gen/rbac-v1.ts';
import { pathSegmentFaults } from '../../validation/names.ts';
import { defineKind } from '../define-kind.ts';
import type { Faults } from '../../validation/object-meta.ts';
import { aggregationFaults, policyRuleFaults } from './rbac-rules.ts';

export const clusterRole = defineKind<ClusterRole>({
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  kind: 'ClusterRole',
  plural: 'clusterroles',
  createsOnUpdate: true,
  scope: 'Cluster',
  nameRule: pathSegmentFaults,
  validate,
});

function* validate({ rules = [], aggregationRule }: ClusterRole): Faults {
  yield* policyRuleFaults(rules, false);
  yield* aggregationFaults(aggregationRule);
}
