import { ageColumn, nameColumn, text } from '../../printing/columns.ts';
import type { APIService } from '../../types/gen/apiregistration-v1.ts';
import { defineKind } from '../define-kind.ts';

export const apiService = defineKind<APIService>({
  group: 'apiregistration.k8s.io',
  version: 'v1',
  kind: 'APIService',
  plural: 'apiservices',
  categories: ['api-extensions'],
  scope: 'Cluster',
  columns: [
    nameColumn,
    text('Service', 'Who serves the group.', ({ spec }) =>
      spec?.service === undefined ? 'Local' : `${spec.service.namespace ?? ''}/${spec.service.name ?? ''}`,
    ),
    text('Available', 'Whether it can be reached.', availableText),
    ageColumn,
  ],
  initialStatus: {},
  setDefaults,
});

function availableText({ status }: APIService): string {
  const available = status?.conditions?.find(({ type }) => type === 'Available');
  if (available === undefined) return 'Unknown';
  return available.status === 'True' ? 'True' : `${available.status ?? ''} (${available.reason ?? ''})`;
}

function setDefaults({ spec }: APIService): void {
  if (spec?.service !== undefined) spec.service.port ??= 443;
}
