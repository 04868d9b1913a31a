import { ageColumn, count, nameColumn } from '../../printing/columns.ts';
import type { ServiceAccount } from '../../types/gen/core-v1.ts';
import { createOnly, defineKind, part } from '../define-kind.ts';

export const serviceAccount = defineKind<ServiceAccount>({
  group: '',
  version: 'v1',
  kind: 'ServiceAccount',
  plural: 'serviceaccounts',
  shortNames: ['sa'],
  subresources: [part('token', { group: 'authentication.k8s.io', version: 'v1', kind: 'TokenRequest' }, createOnly)],
  columns: [
    nameColumn,
    count('Secrets', 'Secrets that pods of the account may use.', ({ secrets }) => (secrets ?? []).length),
    ageColumn,
  ],
});
