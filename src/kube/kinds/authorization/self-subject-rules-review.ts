import type { SelfSubjectRulesReview } from '../../types/gen/authorization-v1.ts';
import { createOnly, defineKind } from '../define-kind.ts';

export const selfSubjectRulesReview = defineKind<SelfSubjectRulesReview>({
  group: 'authorization.k8s.io',
  version: 'v1',
  kind: 'SelfSubjectRulesReview',
  plural: 'selfsubjectrulesreviews',
  scope: 'Cluster',
  verbs: createOnly,
});
