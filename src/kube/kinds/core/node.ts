import type { Column } from '../../kind.ts';
import { ageColumn, nameColumn, text, wide } from '../../printing/columns.ts';
import { none } from '../../printing/labels.ts';
import type { Node, NodeSystemInfo } from '../../types/gen/core-v1.ts';
import { defineKind, part } from '../define-kind.ts';

const rolePrefix = 'node-role.kubernetes.io/';

const columns: readonly Column<Node>[] = [
  nameColumn,
  text('Status', 'Whether the node is ready, and whether pods may be put on it.', statusText),
  text('Roles', 'Roles by labels.', rolesText),
  ageColumn,
  text('Version', 'Version of the node agent.', ({ status }) => status?.nodeInfo?.kubeletVersion ?? ''),
  wide(text('Internal-IP', 'Address inside of the cluster.', (node) => addressText(node, 'InternalIP'))),
  wide(text('External-IP', 'Address outside of the cluster.', (node) => addressText(node, 'ExternalIP'))),
  wide(text('OS-Image', 'Operating system.', (node) => infoText(node, 'osImage'))),
  wide(text('Kernel-Version', 'Version of the kernel.', (node) => infoText(node, 'kernelVersion'))),
  wide(text('Container-Runtime', 'Runtime of containers.', (node) => infoText(node, 'containerRuntimeVersion'))),
];

export const node = defineKind<Node>({
  group: '',
  version: 'v1',
  kind: 'Node',
  plural: 'nodes',
  shortNames: ['no'],
  scope: 'Cluster',
  subresources: [
    part('proxy', { group: '', version: 'v1', kind: 'NodeProxyOptions' }, [
      'create',
      'delete',
      'get',
      'patch',
      'update',
    ]),
  ],
  columns,
  selectableFields: { 'spec.unschedulable': ({ spec }) => String(spec?.unschedulable ?? false) },
  initialStatus: {},
  keepsStatusOnCreate: true,
  setDefaults,
});

function statusText({ spec, status }: Node): string {
  const ready = status?.conditions?.findLast(({ type }) => type === 'Ready');
  const readiness = ready?.status === 'True' ? 'Ready' : 'NotReady';
  const words = [ready === undefined ? 'Unknown' : readiness];
  return (spec?.unschedulable === true ? [...words, 'SchedulingDisabled'] : words).join(',');
}

function rolesText({ metadata }: Node): string {
  const roles = Object.entries(metadata.labels ?? {}).flatMap(([key, value]) => {
    if (key.startsWith(rolePrefix)) return [key.slice(rolePrefix.length)];
    return key === 'kubernetes.io/role' ? [value] : [];
  });
  return (
    [...new Set(roles)]
      .filter((role) => role !== '')
      .toSorted()
      .join(',') || none
  );
}

function addressText({ status }: Node, wanted: string): string {
  return status?.addresses?.find(({ type }) => type === wanted)?.address ?? none;
}

function infoText({ status }: Node, field: keyof NodeSystemInfo): string {
  const value = status?.nodeInfo?.[field];
  return typeof value === 'string' && value !== '' ? value : '<unknown>';
}

function setDefaults({ status }: Node): void {
  if (status?.capacity !== undefined) status.allocatable ??= { ...status.capacity };
}
