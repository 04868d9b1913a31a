import { matchesLabels, selectionOf } from '../../selectors/label-selector.ts';
import type { PodTemplateSpec } from '../../types/gen/core-v1.ts';
import type { LabelSelector } from '../../types/gen/meta-v1.ts';
import { invalid, required } from '../../validation/faults.ts';
import type { Faults } from '../../validation/object-meta.ts';
import { isEmptySelector, selectorFaults } from '../../validation/selectors.ts';

/** The selector of a workload: there must be one that says something. `owner` as upstream words it. */
export function* ownSelectorFaults(selector: LabelSelector | undefined, owner: string): Faults {
  if (selector === undefined) {
    yield required('spec.selector');
    return;
  }
  yield* selectorFaults(selector, 'spec.selector');
  if (isEmptySelector(selector)) yield invalid('spec.selector', selector, `empty selector is invalid for ${owner}`);
}

/** A workload must select the pods that it makes. */
export function* templateLabelFaults(
  selector: LabelSelector | undefined,
  template: PodTemplateSpec | undefined,
): Faults {
  const selection = selectionOf(selector);
  const { labels } = template?.metadata ?? {};
  if (selection === undefined) yield invalid('spec.selector', selector, 'invalid label selector');
  else if (selection !== 'nothing' && !matchesLabels(selection, labels))
    yield invalid('spec.template.metadata.labels', labels, '`selector` does not match template `labels`');
}
