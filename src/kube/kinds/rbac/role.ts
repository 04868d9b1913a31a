import type { Role } from '../../types/gen/rbac-v1.ts';
import { pathSegmentFaults } from '../../validation/names.ts';
import { defineKind } from '../define-kind.ts';
import { policyRuleFaults } from './rbac-rules.ts';

export const role = defineKind<Role>({
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  kind: 'Role',
  plural: 'roles',
  createsOnUpdate: true,
  nameRule: pathSegmentFaults,
  validate: ({ rules = [] }) => policyRuleFaults(rules, true),
});
