import { definitionFaults, setDefinitionDefaults } from '../../custom/definition.ts';
import type { CustomResourceDefinition } from '../../types/gen/apiextensions-v1.ts';
import { defineKind } from '../define-kind.ts';

export const customResourceDefinition = defineKind<CustomResourceDefinition>({
  group: 'apiextensions.k8s.io',
  version: 'v1',
  kind: 'CustomResourceDefinition',
  plural: 'customresourcedefinitions',
  shortNames: ['crd', 'crds'],
  categories: ['api-extensions'],
  scope: 'Cluster',
  initialStatus: {},
  generationOf: ['spec'],
  setDefaults: setDefinitionDefaults,
  validate: definitionFaults,
});
