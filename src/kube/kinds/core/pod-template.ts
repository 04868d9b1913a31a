import { nameColumn, text } from '../../printing/columns.ts';
import { labelsText } from '../../printing/labels.ts';
import { containerColumns } from '../../printing/workload-columns.ts';
import type { PodTemplate } from '../../types/gen/core-v1.ts';
import { defineKind } from '../define-kind.ts';
import { setPodTemplateDefaults } from './pod-defaults.ts';
import type { Faults } from '../../validation/object-meta.ts';
import { podTemplateFaults } from '../../validation/pod/pod-spec.ts';

export const podTemplate = defineKind<PodTemplate>({
  group: '',
  version: 'v1',
  kind: 'PodTemplate',
  plural: 'podtemplates',
  columns: [
    nameColumn,
    ...containerColumns<PodTemplate>(({ template }) => template?.spec),
    text('Pod Labels', 'Labels of the pods.', ({ template }) => labelsText(template?.metadata?.labels)),
  ],
  generationOf: ['template'],
  setDefaults,
  validate,
});

function setDefaults(object: PodTemplate): void {
  setPodTemplateDefaults((object.template ??= {}));
}

function* validate({ template = {} }: PodTemplate): Faults {
  yield* podTemplateFaults(template, 'template');
}
