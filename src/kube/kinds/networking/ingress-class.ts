import { ageColumn, nameColumn, text } from '../../printing/columns.ts';
import { none } from '../../printing/labels.ts';
import type { IngressClass } from '../../types/gen/networking-v1.ts';
import { defineKind } from '../define-kind.ts';
import { forbidden, invalid, required, tooLong } from '../../validation/faults.ts';
import type { Faults } from '../../validation/object-meta.ts';
import { immutable } from '../../validation/object-meta.ts';
import { choiceFaults } from '../../validation/values.ts';

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
  validate,
});

function parametersText({ spec }: IngressClass): string {
  if (spec?.parameters === undefined) return none;
  const { kind = '', apiGroup, name = '' } = spec.parameters;
  return `${kind}${apiGroup === undefined ? '' : `.${apiGroup}`}/${name}`;
}

function setDefaults({ spec }: IngressClass): void {
  if (spec?.parameters !== undefined) spec.parameters.scope ??= 'Cluster';
}

/** Domain prefixed paths, such as `example.com/ingress-controller`. */
const controllerLengthMost = 250;

function* validate({ spec = {} }: IngressClass, old: IngressClass | undefined): Faults {
  const { controller = '', parameters } = spec;
  if (old === undefined) {
    if (controller === '') yield required('spec.controller');
    else if (!/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?\/.+$/.test(controller))
      yield invalid('spec.controller', controller, 'must be a domain-prefixed path (such as "acme.io/foo")');
    if (controller.length > controllerLengthMost) yield tooLong('spec.controller', controllerLengthMost);
  } else yield* immutable('spec.controller', controller, old.spec?.controller ?? '');
  if (parameters === undefined) return;
  const { kind = '', name = '', scope = '', namespace } = parameters;
  if (kind === '') yield required('spec.parameters.kind', 'kind is required');
  if (name === '') yield required('spec.parameters.name', 'name is required');
  yield* choiceFaults('spec.parameters.scope', scope, ['Cluster', 'Namespace']);
  if (scope === 'Namespace' && namespace === undefined)
    yield required('spec.parameters.namespace', "`parameters.scope` is set to 'Namespace'");
  if (scope === 'Cluster' && namespace !== undefined)
    yield forbidden('spec.parameters.namespace', "`parameters.scope` is set to 'Cluster'");
}
