import { ageColumn, nameColumn, text } from '../../printing/columns.ts';
import { none } from '../../printing/labels.ts';
import type { IngressClass } from '../../types/gen/networking-v1.ts';
import { defineKind } from '../define-kind.ts';

export const ingressClass = defineKind<IngressClass>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'IngressClass',
  plural: 'ingressclasses',
  scope: 'Cluster',
  columns: [
    nameColumn,
    text('Controller', 'The controller of the class.', ({ spec }) => spec?.controller ?? ''),
    text('Parameters', 'Object with more configuration.', parametersText),
    ageColumn,
  ],
  generationOf: ['spec'],
  setDefaults,
});

function parametersText({ spec }: IngressClass): string {
  if (spec?.parameters === undefined) return none;
  const { kind = '', apiGroup, name = '' } = spec.parameters;
  return `${kind}${apiGroup === undefined ? '' : `.${apiGroup}`}/${name}`;
}

function setDefaults({ spec }: IngressClass): void {
  if (spec?.parameters !== undefined) spec.parameters.scope ??= 'Cluster';
}
