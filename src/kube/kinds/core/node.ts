import type { Column } from '../../kind.ts';
import { ageColumn, nameColumn, text, wide } from '../../printing/columns.ts';
import { none } from '../../printing/labels.ts';
import type { Node, NodeSystemInfo, Taint } from '../../types/gen/core-v1.ts';
import { defineKind, part } from '../define-kind.ts';
import { isEqualJson } from '#base/json.ts';
import { prefixFaults } from '../../validation/addresses.ts';
import { duplicate, forbidden, invalid, invalids } from '../../validation/faults.ts';
import { labelValueFaults, qualifiedNameFaults } from '../../validation/names.ts';
import type { Faults } from '../../validation/object-meta.ts';
import { taintEffects } from '../../validation/pod/scheduling.ts';
import { resourceQuantityFaults } from '../../validation/resources.ts';
import { oneOfFaults } from '../../validation/values.ts';

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
  validate,
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

function* validate({ spec = {}, status = {} }: Node, old: Node | undefined): Faults {
  yield* taintFaults(spec.taints ?? [], 'metadata.taints');
  for (const field of ['capacity', 'allocatable'] as const)
    for (const [name, text] of Object.entries(status[field] ?? {}))
      yield* resourceQuantityFaults(name, text, `status.${field}.${name}`);
  yield* podBlockFaults(spec.podCIDRs ?? []);
  if (old?.spec === undefined) return;
  if ((old.spec.podCIDRs ?? []).length > 0 && !isEqualJson(old.spec.podCIDRs, spec.podCIDRs))
    yield forbidden('spec.podCIDRs', 'node updates may not change podCIDR except from "" to valid');
  if ((old.spec.providerID ?? '') !== '' && old.spec.providerID !== spec.providerID)
    yield forbidden('spec.providerID', 'node updates may not change providerID except from "" to valid');
}

function* podBlockFaults(blocks: readonly string[]): Faults {
  for (const [index, block] of blocks.entries()) yield* prefixFaults(block, `spec.podCIDRs[${String(index)}]`);
  const families = blocks.map((block) => block.includes(':'));
  if (new Set(families).size < families.length)
    yield invalid('spec.podCIDRs', blocks, 'may specify no more than one CIDR for each IP family');
}

function* taintFaults(taints: readonly Taint[], path: string): Faults {
  const seen = new Set<string>();
  for (const [index, taint] of taints.entries()) {
    const at = `${path}[${String(index)}]`;
    const { key = '', value = '', effect = '' } = taint;
    yield* invalids(`${at}.key`, key, qualifiedNameFaults(key));
    const faults = labelValueFaults(value);
    if (faults.length > 0) yield invalid(`${at}.value`, value, faults.join(';'));
    yield* oneOfFaults(`${at}.effect`, effect, taintEffects);
    if (seen.has(`${effect} ${key}`))
      yield { ...duplicate(at, taint), detail: 'taints must be unique by key and effect pair' };
    seen.add(`${effect} ${key}`);
  }
}
