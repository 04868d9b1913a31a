import type { KindDef } from '#kube/kind.ts';
import { checkFieldSelector, exactField, fieldMatcher, parseFieldSelector } from '#kube/selectors/field-selector.ts';
import { matchesLabels } from '#kube/selectors/label-selector.ts';
import { parseLabelSelector } from '#kube/selectors/parse-label-selector.ts';

import type { StoredObject } from './stored-object.ts';

/** Which objects a list or watch is about; asked about them as the version of the request shows them. */
export interface Selection {
  readonly isEverything: boolean;
  matches(object: StoredObject): boolean;
}

const everything: Selection = { isEverything: true, matches: () => true };

/** Throws BadRequest for selectors that do not parse, or fields that the kind cannot be selected by. */
export function selectionFor(labelSelector: string, fieldSelector: string, kind: KindDef): Selection {
  const labels = parseLabelSelector(labelSelector);
  const fields = parseFieldSelector(fieldSelector);
  checkFieldSelector(fields, kind);
  if (labels.length === 0 && fields.length === 0) return everything;
  const matchesFields = fieldMatcher(fields, kind);
  const name = exactField(fields, 'metadata.name');
  return {
    isEverything: false,
    matches: (object) => {
      // Most watches of one object are by its name, which the key has.
      if (name !== undefined && !object.key.endsWith(`/${name}`)) return false;
      if (labels.length > 0 && !matchesLabels(labels, object.labels)) return false;
      return fields.length === 0 || matchesFields(object.object);
    },
  };
}
