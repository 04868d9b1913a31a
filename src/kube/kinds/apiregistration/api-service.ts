import { ageColumn, nameColumn, text } from '../../printing/columns.ts';
import type { APIService } from '../../types/gen/apiregistration-v1.ts';
import { defineKind } from '../define-kind.ts';
import { invalid, invalids, required } from '../../validation/faults.ts';
import { dns1035Faults, pathSegmentFaults, portFaults, subdomainFaults } from '../../validation/names.ts';
import type { Faults } from '../../validation/object-meta.ts';

export const apiService = defineKind<APIService>({
  group: 'apiregistration.k8s.io',
  version: 'v1',
  kind: 'APIService',
  plural: 'apiservices',
  needsRevision: true,
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
  nameRule: pathSegmentFaults,
  validate,
});

function availableText({ status }: APIService): string {
  const available = status?.conditions?.find(({ type }) => type === 'Available');
  if (available === undefined) return 'Unknown';
  return available.status === 'True' ? 'True' : `${available.status ?? ''} (${available.reason ?? ''})`;
}

function setDefaults({ spec }: APIService): void {
  if (spec?.service !== undefined) spec.service.port ??= 443;
}

function* validate({ metadata, spec = {} }: APIService): Faults {
  const { group = '', version = '', groupPriorityMinimum = 0, versionPriority = 0, service, caBundle = '' } = spec;
  const name = `${version}.${group}`;
  if (metadata.name !== name)
    yield invalid('metadata.name', metadata.name ?? '', `must be \`spec.version+"."+spec.group\`: "${name}"`);
  if (group === '' && version !== 'v1')
    yield required('spec.group', 'only v1 may have an empty group and it better be legacy kube');
  if (group !== '') yield* invalids('spec.group', group, subdomainFaults(group));
  yield* invalids('spec.version', version, dns1035Faults(version));
  if (groupPriorityMinimum <= 0 || groupPriorityMinimum > 20_000)
    yield invalid('spec.groupPriorityMinimum', groupPriorityMinimum, 'must be positive and less than 20000');
  if (versionPriority <= 0 || versionPriority > 1000)
    yield invalid('spec.versionPriority', versionPriority, 'must be positive and less than 1000');
  if (service === undefined) {
    if (caBundle !== '')
      yield invalid('spec.caBundle', `${String(caBundle.length)} bytes`, 'local APIServices may not have a caBundle');
    return;
  }
  if ((service.namespace ?? '') === '') yield required('spec.service.namespace');
  if ((service.name ?? '') === '') yield required('spec.service.name');
  yield* invalids('spec.service.port', service.port ?? 0, portFaults(service.port ?? 0));
  if (spec.insecureSkipTLSVerify === true && caBundle !== '')
    yield invalid('spec.insecureSkipTLSVerify', true, 'may not be true if caBundle is present');
}
