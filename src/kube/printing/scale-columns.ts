import { isObject } from '#base/json.ts';

import type { Column } from '../kind.ts';
import type { Resource } from '../resource.ts';
import { ageColumn, count, nameColumn } from './columns.ts';

/** Of autoscaling/v1 Scale, as `kubectl get --subresource=scale` shows it. */
export const scaleColumns: readonly Column[] = [
  { ...nameColumn, format: '' },
  count('Desired', 'How many replicas are wanted.', (scale) => replicasOf(scale, 'spec')),
  count('Available', 'How many replicas there are.', (scale) => replicasOf(scale, 'status')),
  ageColumn,
];

function replicasOf(scale: Resource, part: 'spec' | 'status'): number {
  const fields = scale[part];
  return isObject(fields) && typeof fields['replicas'] === 'number' ? fields['replicas'] : 0;
}
