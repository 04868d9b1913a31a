import { nameColumn, text } from '../../printing/columns.ts';
import { none } from '../../printing/labels.ts';
import type { IPAddress } from '../../types/gen/networking-v1.ts';
import { defineKind } from '../define-kind.ts';

export const ipAddress = defineKind<IPAddress>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'IPAddress',
  plural: 'ipaddresses',
  shortNames: ['ip'],
  scope: 'Cluster',
  columns: [nameColumn, text('ParentRef', 'Who uses the address.', parentText)],
});

function parentText({ spec }: IPAddress): string {
  if (spec?.parentRef === undefined) return none;
  const { group = '', resource = '', namespace = '', name = '' } = spec.parentRef;
  const kind = (group === '' ? resource : `${resource}.${group}`).toLowerCase();
  return [kind, ...(namespace === '' ? [] : [namespace]), name].join('/');
}
