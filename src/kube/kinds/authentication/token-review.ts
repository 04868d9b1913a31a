import type { TokenReview } from '../../types/gen/authentication-v1.ts';
import { createOnly, defineKind } from '../define-kind.ts';

export const tokenReview = defineKind<TokenReview>({
  group: 'authentication.k8s.io',
  version: 'v1',
  kind: 'TokenReview',
  plural: 'tokenreviews',
  scope: 'Cluster',
  verbs: createOnly,
});
