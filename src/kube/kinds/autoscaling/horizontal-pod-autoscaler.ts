import type { Column } from '../../kind.ts';
import { ageColumn, nameColumn, text } from '../../printing/columns.ts';
import { unset } from '../../printing/labels.ts';
import type { HorizontalPodAutoscaler } from '../../types/gen/autoscaling-v2.ts';
import { defineKind } from '../define-kind.ts';
import { metricsText } from './metrics-text.ts';
import { autoscalerFaults } from './autoscaler-rules.ts';

export const autoscalerColumns: readonly Column<HorizontalPodAutoscaler>[] = [
  nameColumn,
  text('Reference', 'What is scaled.', ({ spec }) => {
    const { kind = '', name = '' } = spec?.scaleTargetRef ?? {};
    return `${kind}/${name}`;
  }),
  text('Targets', 'Current values and what they shall be.', ({ spec, status }) =>
    metricsText(spec?.metrics ?? [], status?.currentMetrics ?? []),
  ),
  text('MinPods', 'Pods at least.', ({ spec }) => (spec?.minReplicas === undefined ? unset : String(spec.minReplicas))),
  text('MaxPods', 'Pods at most.', ({ spec }) => spec?.maxReplicas ?? 0),
  text('Replicas', 'Pods that there are.', ({ status }) => status?.currentReplicas ?? 0),
  ageColumn,
];

export const horizontalPodAutoscaler = defineKind<HorizontalPodAutoscaler>({
  group: 'autoscaling',
  version: 'v2',
  kind: 'HorizontalPodAutoscaler',
  plural: 'horizontalpodautoscalers',
  shortNames: ['hpa'],
  categories: ['all'],
  columns: autoscalerColumns,
  initialStatus: { desiredReplicas: 0 },
  setDefaults,
  validate: autoscalerFaults,
});

/** Of cpu, when nothing else is said. */
const utilizationPercent = 80;

function setDefaults(object: HorizontalPodAutoscaler): void {
  const spec = (object.spec ??= {});
  spec.minReplicas ??= 1;
  if ((spec.metrics ?? []).length === 0) {
    const target = { type: 'Utilization', averageUtilization: utilizationPercent };
    spec.metrics = [{ type: 'Resource', resource: { name: 'cpu', target } }];
  }
  const { scaleUp, scaleDown } = spec.behavior ?? {};
  if (scaleUp !== undefined) {
    scaleUp.stabilizationWindowSeconds ??= 0;
    scaleUp.selectPolicy ??= 'Max';
    scaleUp.policies ??= [
      { type: 'Pods', value: 4, periodSeconds: 15 },
      { type: 'Percent', value: 100, periodSeconds: 15 },
    ];
  }
  if (scaleDown === undefined) return;
  scaleDown.selectPolicy ??= 'Max';
  scaleDown.policies ??= [{ type: 'Percent', value: 100, periodSeconds: 15 }];
}
