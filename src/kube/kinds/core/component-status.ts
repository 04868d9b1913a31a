import { nameColumn, text } from '../../printing/columns.ts';
import type { ComponentStatus } from '../../types/gen/core-v1.ts';
import { defineKind, readOnly } from '../define-kind.ts';

export const componentStatus = defineKind<ComponentStatus>({
  group: '',
  version: 'v1',
  kind: 'ComponentStatus',
  plural: 'componentstatuses',
  shortNames: ['cs'],
  scope: 'Cluster',
  verbs: readOnly,
  columns: [
    nameColumn,
    text('Status', 'Whether it is healthy.', (component) => {
      const healthy = healthOf(component);
      return healthy === undefined ? 'Unknown' : healthy.status === 'True' ? 'Healthy' : 'Unhealthy';
    }),
    text('Message', 'What it says of itself.', (component) => healthOf(component)?.message ?? ''),
    text('Error', 'What is wrong.', (component) => healthOf(component)?.error ?? ''),
  ],
});

function healthOf({ conditions }: ComponentStatus) {
  return conditions?.find(({ type }) => type === 'Healthy');
}
