import { ageColumn, nameColumn, text } from '../../printing/columns.ts';
import { none } from '../../printing/labels.ts';
import type { OwnerReference } from '../../resource.ts';
import type { ControllerRevision } from '../../types/gen/apps-v1.ts';
import { defineKind } from '../define-kind.ts';
import { required } from '../../validation/faults.ts';
import type { Faults } from '../../validation/object-meta.ts';
import { immutable, negativeFaults } from '../../validation/object-meta.ts';

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
  validate,
});

function controllerText({ metadata }: ControllerRevision): string {
  const owner = metadata.ownerReferences?.find(({ controller }) => controller === true);
  if (owner === undefined) return none;
  const { apiVersion = '', kind = '', name = '' } = owner as Partial<OwnerReference>;
  const group = apiVersion.includes('/') ? `.${apiVersion.split('/')[0] ?? ''}` : '';
  return `${`${kind}${group}`.toLowerCase()}/${name}`;
}

function* validate({ data, revision }: ControllerRevision, old: ControllerRevision | undefined): Faults {
  if (data === undefined) yield required('data', 'data is mandatory');
  yield* negativeFaults('revision', revision);
  if (old !== undefined) yield* immutable('data', data, old.data);
}
