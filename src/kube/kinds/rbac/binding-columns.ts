import type { Column } from '../../kind.ts';
import { ageColumn, nameColumn, text, wide } from '../../printing/columns.ts';
import type { ClusterRoleBinding, RoleBinding, Subject } from '../../types/gen/rbac-v1.ts';

export const bindingColumns: readonly Column<RoleBinding | ClusterRoleBinding>[] = [
  nameColumn,
  text('Role', 'The role that is given.', ({ roleRef }) => `${roleRef?.kind ?? ''}/${roleRef?.name ?? ''}`),
  ageColumn,
  wide(text('Users', 'Users that get it.', ({ subjects }) => namesOf(subjects, 'User'))),
  wide(text('Groups', 'Groups that get it.', ({ subjects }) => namesOf(subjects, 'Group'))),
  wide(text('ServiceAccounts', 'Accounts that get it.', ({ subjects }) => namesOf(subjects, 'ServiceAccount'))),
];

function namesOf(subjects: readonly Subject[] | undefined, wanted: string): string {
  return (subjects ?? [])
    .filter(({ kind }) => kind === wanted)
    .map(({ kind, namespace = '', name = '' }) => (kind === 'ServiceAccount' ? `${namespace}/${name}` : name))
    .join(', ');
}
