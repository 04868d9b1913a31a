import type { SelfSubjectAccessReview } from '../../types/gen/authorization-v1.ts';
import { createOnly, defineKind } from '../define-kind.ts';

export const selfSubjectAccessReview = defineKind<SelfSubjectAccessReview>({
  group: 'authorization.k8s.io',
  version: 'v1',
  kind: 'SelfSubjectAccessReview',
  plural: 'selfsubjectaccessreviews',
  scope: 'Cluster',
  verbs: createOnly,
});
