import { none } from '../../printing/labels.ts';
import type { MetricSpec, MetricStatus, MetricTarget, MetricValueStatus } from '../../types/gen/autoscaling-v2.ts';

const shownMost = 2;
const unknown = '<unknown>';

/** Current values and targets: `cpu: 40%/80%, 3/10 (avg) + 1 more...`. */
export function metricsText(specs: readonly MetricSpec[], statuses: readonly MetricStatus[]): string {
  if (specs.length === 0) return none;
  const texts = specs.map((spec, index) => metricText(spec, statuses[index]));
  const shown = texts.slice(0, shownMost).join(', ');
  return texts.length > shownMost ? `${shown} + ${String(texts.length - shownMost)} more...` : shown;
}

function metricText(spec: MetricSpec, status: MetricStatus | undefined): string {
  switch (spec.type) {
    case 'External':
      return valueText(spec.external?.target, status?.external?.current);
    case 'Object':
      return valueText(spec.object?.target, status?.object?.current);
    case 'Pods':
      return `${status?.pods?.current?.averageValue ?? unknown}/${spec.pods?.target?.averageValue ?? ''}`;
    case 'Resource':
      return resourceText(spec.resource, status?.resource?.current);
    case 'ContainerResource':
      return resourceText(spec.containerResource, status?.containerResource?.current);
    default:
      return '<unknown type>';
  }
}

function valueText(target: MetricTarget | undefined, current: MetricValueStatus | undefined): string {
  if (target?.averageValue !== undefined) return `${current?.averageValue ?? unknown}/${target.averageValue} (avg)`;
  return `${current?.value ?? unknown}/${target?.value ?? ''}`;
}

function resourceText(
  metric: { name?: string; target?: MetricTarget } | undefined,
  current: MetricValueStatus | undefined,
): string {
  const { name = '', target = {} } = metric ?? {};
  if (target.averageValue !== undefined) return `${name}: ${current?.averageValue ?? unknown}/${target.averageValue}`;
  const percent = (value: number | undefined, absent: string) => (value === undefined ? absent : `${String(value)}%`);
  return `${name}: ${percent(current?.averageUtilization, unknown)}/${percent(target.averageUtilization, '<auto>')}`;
}
