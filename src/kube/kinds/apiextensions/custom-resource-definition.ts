import { definitionFaults, setDefinitionDefaults } from '../../custom/definition.ts';
import type { CustomResourceDefinition } from '../../types/gen/apiextensions-v1.ts';
import { defineKind } from '../define-kind.ts';

export const customResourceDefinition = defineKind<CustomResourceDefinition>({
  group: 'apiextensions.k8s.io',
  version: 'v1',
  kind: 'CustomResourceDefinition',
  plural: 'customresourcedefinitions',
  needsRevision: true,
  shortNames: ['crd', 'crds'],
  categories: ['api-extensions'],
  scope: 'Cluster',
  initialStatus: {},
  generationOf: ['spec'],
  setDefaults: setDefinitionDefaults,
  prepare,
  validate: definitionFaults,
});

/** Versions that objects are or were stored in are kept until somebody takes them off the list. */
function prepare(object: CustomResourceDefinition, old: CustomResourceDefinition | undefined): void {
  const status = old?.status ?? { acceptedNames: { kind: '', plural: '' }, conditions: [], storedVersions: [] };
  const stored = (object.spec?.versions ?? []).find(({ storage }) => storage === true)?.name;
  const known = status.storedVersions ?? [];
  const isNew = stored !== undefined && !known.includes(stored);
  object.status = { ...status, storedVersions: isNew ? [...known, stored] : known };
}
