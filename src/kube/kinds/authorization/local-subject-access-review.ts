import type { LocalSubjectAccessReview } from '../../types/gen/authorization-v1.ts';
import { createOnly, defineKind } from '../define-kind.ts';

export const localSubjectAccessReview = defineKind<LocalSubjectAccessReview>({
  group: 'authorization.k8s.io',
  version: 'v1',
  kind: 'LocalSubjectAccessReview',
  plural: 'localsubjectaccessreviews',
  verbs: createOnly,
});
