import { nameColumn, text } from '../../printing/columns.ts';
import type { Resource } from '../../resource.ts';
import { defineKind, readOnly } from '../define-kind.ts';

export interface NodeMetrics extends Resource {
  timestamp?: string;
  /** Length of the span that usage is the average of, such as `15s`. */
  window?: string;
  usage?: Record<string, string>;
}

export const nodeMetrics = defineKind<NodeMetrics>({
  group: 'metrics.k8s.io',
  version: 'v1beta1',
  kind: 'NodeMetrics',
  plural: 'nodes',
  singular: '',
  scope: 'Cluster',
  verbs: readOnly,
  columns: [
    nameColumn,
    text('cpu', 'Processor time used.', ({ usage }) => usage?.['cpu'] ?? ''),
    text('memory', 'Memory used.', ({ usage }) => usage?.['memory'] ?? ''),
    text('Window', 'The span that usage is the average of.', ({ window }) => window ?? ''),
  ],
});
