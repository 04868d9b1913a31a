import type { Resource } from '../../resource.ts';
import type { HorizontalPodAutoscaler } from '../../types/gen/autoscaling-v1.ts';
import type {
  HorizontalPodAutoscaler as Autoscaler,
  HorizontalPodAutoscalerBehavior,
  HorizontalPodAutoscalerCondition,
  MetricSpec,
  MetricStatus,
} from '../../types/gen/autoscaling-v2.ts';
import { defineKind } from '../define-kind.ts';
import { autoscalerColumns, horizontalPodAutoscaler } from './horizontal-pod-autoscaler.ts';
import { autoscalerFaults } from './autoscaler-rules.ts';

/** The older form: one target for cpu; all else of the newer form is kept in annotations, as upstream does. */
export const horizontalPodAutoscalerV1 = defineKind<HorizontalPodAutoscaler>({
  group: 'autoscaling',
  version: 'v1',
  kind: 'HorizontalPodAutoscaler',
  plural: 'horizontalpodautoscalers',
  shortNames: ['hpa'],
  categories: ['all'],
  columns: autoscalerColumns.map((column) => ({
    ...column,
    cell: (object, nowMs) => column.cell(toStored(object), nowMs),
  })),
  initialStatus: { currentReplicas: 0, desiredReplicas: 0 },
  storedAs: { kind: horizontalPodAutoscaler, toStored, fromStored },
  setDefaults,
  validate: (object, old) => autoscalerFaults(toStored(object), old === undefined ? undefined : toStored(old)),
});

const prefix = 'autoscaling.alpha.kubernetes.io/';
const annotations = {
  metrics: `${prefix}metrics`,
  currentMetrics: `${prefix}current-metrics`,
  conditions: `${prefix}conditions`,
  behavior: `${prefix}behavior`,
} as const;

function toStored(object: HorizontalPodAutoscaler): Autoscaler {
  const { targetCPUUtilizationPercentage: percent, ...spec } = object.spec ?? {};
  const { currentCPUUtilizationPercentage: current, ...status } = object.status ?? {};
  const kept = object.metadata.annotations ?? {};
  const metrics = [
    ...(percent === undefined ? [] : [cpuTarget(percent)]),
    ...((parsed(kept[annotations.metrics]) as MetricSpec[] | undefined) ?? []),
  ];
  const currentMetrics =
    (parsed(kept[annotations.currentMetrics]) as MetricStatus[] | undefined) ??
    (current === undefined ? [] : [cpuStatus(current)]);
  const behavior = parsed(kept[annotations.behavior]) as HorizontalPodAutoscalerBehavior | undefined;
  const conditions = parsed(kept[annotations.conditions]) as HorizontalPodAutoscalerCondition[] | undefined;
  return {
    ...object,
    apiVersion: 'autoscaling/v2',
    metadata: withAnnotations(object, {}),
    spec: { ...spec, ...(metrics.length === 0 ? {} : { metrics }), ...(behavior === undefined ? {} : { behavior }) },
    ...(object.status === undefined
      ? {}
      : {
          status: {
            ...status,
            ...(currentMetrics.length === 0 ? {} : { currentMetrics }),
            ...(conditions === undefined ? {} : { conditions }),
          },
        }),
  };
}

function fromStored(stored: Resource): HorizontalPodAutoscaler {
  const object = stored as Autoscaler;
  const { metrics = [], behavior, ...spec } = object.spec ?? {};
  const { currentMetrics, conditions, ...status } = object.status ?? {};
  const cpu = metrics.find(isCpuPercentage);
  const percent = cpu?.resource?.target?.averageUtilization;
  const current = (currentMetrics ?? []).find(({ resource }) => resource?.name === 'cpu')?.resource?.current
    ?.averageUtilization;
  const rest = metrics.filter((metric) => metric !== cpu);
  return {
    ...object,
    apiVersion: 'autoscaling/v1',
    metadata: withAnnotations(object, {
      [annotations.metrics]: rest.length === 0 ? undefined : rest,
      [annotations.currentMetrics]: (currentMetrics ?? []).length === 0 ? undefined : currentMetrics,
      [annotations.conditions]: (conditions ?? []).length === 0 ? undefined : conditions,
      [annotations.behavior]: behavior,
    }),
    spec: { ...spec, ...(percent === undefined ? {} : { targetCPUUtilizationPercentage: percent }) },
    ...(object.status === undefined
      ? {}
      : { status: { ...status, ...(current === undefined ? {} : { currentCPUUtilizationPercentage: current }) } }),
  };
}

function isCpuPercentage({ type, resource }: MetricSpec): boolean {
  return type === 'Resource' && resource?.name === 'cpu' && resource.target?.averageUtilization !== undefined;
}

function cpuTarget(averageUtilization: number): MetricSpec {
  return { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization } } };
}

function cpuStatus(averageUtilization: number): MetricStatus {
  return { type: 'Resource', resource: { name: 'cpu', current: { averageUtilization } } };
}

/** Metadata with these annotations of ours and no others; those without a value are left out. */
function withAnnotations({ metadata }: Resource, values: Readonly<Record<string, unknown>>): Resource['metadata'] {
  const { annotations: all = {}, ...rest } = metadata;
  const foreign = Object.entries(all).filter(([key]) => !Object.values<string>(annotations).includes(key));
  const own = Object.entries(values).flatMap(([key, value]) =>
    value === undefined ? [] : [[key, JSON.stringify(value)]],
  );
  const joined = Object.fromEntries([...foreign, ...own]) as Record<string, string>;
  return Object.keys(joined).length === 0 ? rest : { ...rest, annotations: joined };
}

/** A user's annotation may be anything: what is not JSON is not there. */
function parsed(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

function setDefaults({ spec }: HorizontalPodAutoscaler): void {
  if (spec !== undefined) spec.minReplicas ??= 1;
}
