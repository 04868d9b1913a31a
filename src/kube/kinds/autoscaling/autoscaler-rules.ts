import type {
  HorizontalPodAutoscaler,
  HPAScalingRules,
  MetricSpec,
  MetricTarget,
} from '../../types/gen/autoscaling-v2.ts';
import { forbidden, invalid, invalids, notSupported, required } from '../../validation/faults.ts';
import { pathSegmentFaults } from '../../validation/names.ts';
import { type Faults, negativeFaults } from '../../validation/object-meta.ts';
import { quantityOf } from '../../validation/resources.ts';
import { selectorFaults } from '../../validation/selectors.ts';

const windowSecondsMost = 3600;
const periodSecondsMost = 1800;

/** What is wrong with an autoscaler (autoscaling/validation, version 2). */
export function* autoscalerFaults({ spec = {} }: HorizontalPodAutoscaler, _old: unknown): Faults {
  const { minReplicas, maxReplicas = 0, scaleTargetRef = {} } = spec;
  if (minReplicas !== undefined && minReplicas < 1)
    yield invalid('spec.minReplicas', minReplicas, 'must be greater than or equal to 1');
  if (maxReplicas < 1) yield invalid('spec.maxReplicas', maxReplicas, 'must be greater than 0');
  if (minReplicas !== undefined && maxReplicas < minReplicas)
    yield invalid('spec.maxReplicas', maxReplicas, 'must be greater than or equal to `minReplicas`');
  yield* nameFaults(scaleTargetRef.kind, 'spec.scaleTargetRef.kind');
  yield* nameFaults(scaleTargetRef.name, 'spec.scaleTargetRef.name');
  for (const [index, metric] of (spec.metrics ?? []).entries())
    yield* metricFaults(metric, `spec.metrics[${String(index)}]`);
  if (spec.behavior?.scaleUp !== undefined) yield* scalingFaults(spec.behavior.scaleUp, 'spec.behavior.scaleUp');
  if (spec.behavior?.scaleDown !== undefined) yield* scalingFaults(spec.behavior.scaleDown, 'spec.behavior.scaleDown');
}

function* nameFaults(name: string | undefined, path: string): Faults {
  if ((name ?? '') === '') yield required(path);
  else yield* invalids(path, name, pathSegmentFaults(name ?? ''));
}

const sources = {
  ContainerResource: 'containerResource',
  External: 'external',
  Object: 'object',
  Pods: 'pods',
  Resource: 'resource',
} as const satisfies Record<string, keyof MetricSpec>;

function* metricFaults(metric: MetricSpec, path: string): Faults {
  const { type = '' } = metric;
  if (type === '') {
    yield required(`${path}.type`, 'must specify a metric source type');
    return;
  }
  const field = Object.hasOwn(sources, type) ? sources[type as keyof typeof sources] : undefined;
  if (field === undefined) {
    yield notSupported(`${path}.type`, type, Object.keys(sources));
    return;
  }
  for (const other of Object.values(sources))
    if (other !== field && metric[other] !== undefined)
      yield forbidden(`${path}.${other}`, 'must populate the given metric source only');
  if (metric[field] === undefined)
    yield required(`${path}.${field}`, 'must populate information for the given metric source');
  const at = `${path}.${field}`;
  const { resource, containerResource } = metric;
  const ofResource = field === 'resource' ? resource : field === 'containerResource' ? containerResource : undefined;
  if (ofResource !== undefined) {
    if ((ofResource.name ?? '') === '') yield required(`${at}.name`, 'must specify a resource name');
    if (field === 'containerResource' && (containerResource?.container ?? '') === '')
      yield required(`${at}.container`, 'must specify a container');
    yield* targetFaults(ofResource.target ?? {}, `${at}.target`);
    return;
  }
  const measured: MetricSpec['pods'] = metric[field];
  if (measured === undefined) return;
  if ((measured.metric?.name ?? '') === '') yield required(`${at}.metric.name`, 'must specify a metric name');
  yield* selectorFaults(measured.metric?.selector, `${at}.metric.selector`);
  yield* targetFaults(measured.target ?? {}, `${at}.target`);
}

function* targetFaults({ type = '', value, averageValue, averageUtilization }: MetricTarget, path: string): Faults {
  if (type === '') yield required(`${path}.type`, 'must specify a metric target type');
  else if (!['AverageValue', 'Utilization', 'Value'].includes(type))
    yield invalid(`${path}.type`, type, 'must be either Utilization, Value, or AverageValue');
  for (const [field, text] of Object.entries({ value, averageValue }))
    if (text !== undefined && (quantityOf(text)?.nanos ?? 1n) <= 0n)
      yield invalid(`${path}.${field}`, text, 'must be positive');
  if (averageUtilization !== undefined && averageUtilization < 1)
    yield invalid(`${path}.averageUtilization`, averageUtilization, 'must be greater than 0');
  if (value === undefined && averageValue === undefined && averageUtilization === undefined)
    yield required(`${path}.averageUtilization`, 'must set either a target raw value or a target utilization');
}

function* scalingFaults(
  { stabilizationWindowSeconds: window, selectPolicy, policies = [] }: HPAScalingRules,
  path: string,
): Faults {
  yield* negativeFaults(`${path}.stabilizationWindowSeconds`, window);
  if ((window ?? 0) > windowSecondsMost)
    yield invalid(`${path}.stabilizationWindowSeconds`, window, 'must be less than or equal to 3600');
  if (selectPolicy !== undefined && !['Disabled', 'Max', 'Min'].includes(selectPolicy))
    yield notSupported(`${path}.selectPolicy`, selectPolicy, ['Disabled', 'Max', 'Min']);
  if (policies.length === 0) yield required(`${path}.policies`, 'must specify at least one Policy');
  for (const [index, { type = '', value = 0, periodSeconds = 0 }] of policies.entries()) {
    const at = `${path}.policies[${String(index)}]`;
    if (type !== 'Pods' && type !== 'Percent') yield notSupported(`${at}.type`, type, ['Percent', 'Pods']);
    if (value <= 0) yield invalid(`${at}.value`, value, 'must be greater than zero');
    if (periodSeconds <= 0) yield invalid(`${at}.periodSeconds`, periodSeconds, 'must be greater than zero');
    if (periodSeconds > periodSecondsMost)
      yield invalid(`${at}.periodSeconds`, periodSeconds, 'must be less than or equal to 1800');
  }
}
