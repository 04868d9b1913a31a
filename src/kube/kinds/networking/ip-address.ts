import { nameColumn, text } from '../../printing/columns.ts';
import { none } from '../../printing/labels.ts';
import type { IPAddress } from '../../types/gen/networking-v1.ts';
import { defineKind } from '../define-kind.ts';
import { formatAddress, parseAddress } from '#formats/ip-address.ts';
import { invalid, required } from '../../validation/faults.ts';
import { pathSegmentFaults } from '../../validation/names.ts';
import type { Faults } from '../../validation/object-meta.ts';
import { immutable } from '../../validation/object-meta.ts';

export const ipAddress = defineKind<IPAddress>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'IPAddress',
  plural: 'ipaddresses',
  shortNames: ['ip'],
  scope: 'Cluster',
  columns: [nameColumn, text('ParentRef', 'Who uses the address.', parentText)],
  nameRule: pathSegmentFaults,
  validate,
});

function parentText({ spec }: IPAddress): string {
  if (spec?.parentRef === undefined) return none;
  const { group = '', resource = '', namespace = '', name = '' } = spec.parentRef;
  const kind = (group === '' ? resource : `${resource}.${group}`).toLowerCase();
  return [kind, ...(namespace === '' ? [] : [namespace]), name].join('/');
}

function* validate({ metadata, spec = {} }: IPAddress, old: IPAddress | undefined): Faults {
  const { name = '' } = metadata;
  const address = parseAddress(name);
  if (address === undefined || formatAddress(address) !== name)
    yield invalid('metadata.name', name, 'must be a valid IP address in canonical form');
  if (spec.parentRef === undefined) yield required('spec.parentRef');
  else {
    if ((spec.parentRef.resource ?? '') === '') yield required('spec.parentRef.resource');
    if ((spec.parentRef.name ?? '') === '') yield required('spec.parentRef.name');
  }
  if (old !== undefined) yield* immutable('spec.parentRef', spec.parentRef, old.spec?.parentRef);
}
