import { ageColumn, nameColumn, text } from '../../printing/columns.ts';
import { none } from '../../printing/labels.ts';
import type { OwnerReference } from '../../resource.ts';
import type { ControllerRevision } from '../../types/gen/apps-v1.ts';
import { defineKind } from '../define-kind.ts';

export const controllerRevision = defineKind<ControllerRevision>({
  group: 'apps',
  version: 'v1',
  kind: 'ControllerRevision',
  plural: 'controllerrevisions',
  columns: [
    nameColumn,
    text('Controller', 'Who made the revision.', controllerText),
    text('Revision', 'Number of the revision.', ({ revision }) => revision ?? 0),
    ageColumn,
  ],
});

function controllerText({ metadata }: ControllerRevision): string {
  const owner = metadata.ownerReferences?.find(({ controller }) => controller === true);
  if (owner === undefined) return none;
  const { apiVersion = '', kind = '', name = '' } = owner as Partial<OwnerReference>;
  const group = apiVersion.includes('/') ? `.${apiVersion.split('/')[0] ?? ''}` : '';
  return `${`${kind}${group}`.toLowerCase()}/${name}`;
}
