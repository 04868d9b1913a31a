import { addQuantities, formatQuantity, parseQuantity } from '#formats/quantity.ts';

import { nameColumn, text } from '../../printing/columns.ts';
import type { Resource } from '../../resource.ts';
import { defineKind, readOnly } from '../define-kind.ts';

export interface PodMetrics extends Resource {
  timestamp?: string;
  window?: string;
  containers?: { name?: string; usage?: Record<string, string> }[];
}

export const podMetrics = defineKind<PodMetrics>({
  group: 'metrics.k8s.io',
  version: 'v1beta1',
  kind: 'PodMetrics',
  plural: 'pods',
  singular: '',
  verbs: readOnly,
  columns: [
    nameColumn,
    text('cpu', 'Processor time used.', (metrics) => total(metrics, 'cpu')),
    text('memory', 'Memory used.', (metrics) => total(metrics, 'memory')),
    text('Window', 'The span that usage is the average of.', ({ window }) => window ?? ''),
  ],
});

function total({ containers = [] }: PodMetrics, resource: string): string {
  const sum = containers
    .map(({ usage }) => parseQuantity(usage?.[resource] ?? '0'))
    .reduce(addQuantities, parseQuantity('0'));
  return formatQuantity(sum);
}
