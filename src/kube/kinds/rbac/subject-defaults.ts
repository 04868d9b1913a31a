import type { RoleRef, Subject } from '../../types/gen/rbac-v1.ts';

const group = 'rbac.authorization.k8s.io';

export function setBindingDefaults(binding: { roleRef?: RoleRef; subjects?: Subject[] }): void {
  if (binding.roleRef !== undefined) binding.roleRef.apiGroup ||= group;
  for (const subject of binding.subjects ?? []) {
    if (subject.kind === 'User' || subject.kind === 'Group') subject.apiGroup ||= group;
  }
}
