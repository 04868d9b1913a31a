import type { SubjectAccessReview } from '../../types/gen/authorization-v1.ts';
import { createOnly, defineKind } from '../define-kind.ts';

export const subjectAccessReview = defineKind<SubjectAccessReview>({
  group: 'authorization.k8s.io',
  version: 'v1',
  kind: 'SubjectAccessReview',
  plural: 'subjectaccessreviews',
  scope: 'Cluster',
  verbs: createOnly,
});
