import type { LabelSelector, LabelSelectorRequirement } from '../types/gen/meta-v1.ts';
import { forbidden, invalid, invalids, required } from './faults.ts';
import { labelValueFaults, qualifiedNameFaults } from './names.ts';
import { type Faults, labelMapFaults } from './object-meta.ts';

/** What is wrong with a LabelSelector (apimachinery, apis/meta/v1/validation); nothing with an absent one. */
export function* selectorFaults(selector: LabelSelector | undefined, path: string): Faults {
  yield* labelMapFaults(selector?.matchLabels, `${path}.matchLabels`);
  for (const [index, requirement] of (selector?.matchExpressions ?? []).entries())
    yield* requirementFaults(requirement, `${path}.matchExpressions[${String(index)}]`);
}

/** A selector that has no condition at all. */
export function isEmptySelector(selector: LabelSelector): boolean {
  return Object.keys(selector.matchLabels ?? {}).length + (selector.matchExpressions ?? []).length === 0;
}

function* requirementFaults({ key = '', operator = '', values = [] }: LabelSelectorRequirement, path: string): Faults {
  if (operator === 'In' || operator === 'NotIn') {
    if (values.length === 0) yield required(`${path}.values`, "must be specified when `operator` is 'In' or 'NotIn'");
  } else if (operator === 'Exists' || operator === 'DoesNotExist') {
    if (values.length > 0)
      yield forbidden(`${path}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
  } else yield invalid(`${path}.operator`, operator, 'not a valid selector operator');
  yield* invalids(`${path}.key`, key, qualifiedNameFaults(key));
  for (const [index, value] of values.entries())
    yield* invalids(`${path}.values[${String(index)}]`, value, labelValueFaults(value));
}
