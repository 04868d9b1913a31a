import { compareQuantities, parseQuantity, quantityMillis } from '#formats/quantity.ts';
import type { Container, LimitRange, LimitRangeItem, PersistentVolumeClaim, Pod } from '#kube/types/gen/core-v1.ts';

import type { Objects } from '../../auth/objects.ts';
import type { AdmissionPlugin, AdmissionRequest } from '../admission.ts';
import { isAbout, reasonsText, refusal } from '../refusal.ts';
import { podResources } from '../pod-resources.ts';

type Amounts = Readonly<Record<string, string>>;

const limitRanges = { group: '', resource: 'limitranges' };

/** Gives containers the requests and limits of the namespace, and refuses what is outside of its bounds. */
export function limitRanger(objects: Objects): AdmissionPlugin {
  const itemsFor = async (request: AdmissionRequest, signal: AbortSignal): Promise<readonly LimitRangeItem[]> => {
    if (request.operation !== 'CREATE' && !isAbout(request, '', 'persistentvolumeclaims')) return [];
    if (request.operation === 'DELETE' || request.operation === 'CONNECT') return [];
    if (!isAbout(request, '', 'pods') && !isAbout(request, '', 'persistentvolumeclaims')) return [];
    const ranges = (await objects.list(limitRanges, request.namespace, signal)) as readonly LimitRange[];
    return ranges.flatMap(({ spec }) => spec?.limits ?? []);
  };
  return {
    name: 'LimitRanger',
    mutate: async (request, signal) => {
      const items = isAbout(request, '', 'pods') ? await itemsFor(request, signal) : [];
      for (const item of items) if (item.type === 'Container') setDefaults(request.object as Pod, item);
    },
    validate: async (request, signal) => {
      const items = await itemsFor(request, signal);
      const isPod = isAbout(request, '', 'pods');
      const reasons = items.flatMap((item) =>
        isPod ? podReasons(request.object as Pod, item) : claimReasons(request.object as PersistentVolumeClaim, item),
      );
      if (reasons.length > 0) throw refusal(request, reasonsText(reasons));
    },
  };
}

/** What a container does not say, it gets; the pod tells in an annotation what it was given. */
function setDefaults(pod: Pod, { default: limits = {}, defaultRequest: requests = {} }: LimitRangeItem): void {
  const told: string[] = [];
  for (const [kind, containers] of [
    ['container', pod.spec?.containers ?? []],
    ['init container', pod.spec?.initContainers ?? []],
  ] as const) {
    for (const container of containers) {
      const given = [merge(container, 'requests', requests), merge(container, 'limits', limits)] as const;
      if (given[0].length > 0) told.push(`${given[0].join(', ')} request for ${kind} ${container.name ?? ''}`);
      if (given[1].length > 0) told.push(`${given[1].join(', ')} limit for ${kind} ${container.name ?? ''}`);
    }
  }
  if (told.length === 0) return;
  const annotations = { ...pod.metadata.annotations };
  annotations['kubernetes.io/limit-ranger'] = `LimitRanger plugin set: ${told.join('; ')}`;
  Object.assign(pod.metadata, { annotations });
}

function merge(container: Container, field: 'requests' | 'limits', amounts: Amounts): readonly string[] {
  const resources = (container.resources ??= {});
  const missing = Object.keys(amounts).filter((name) => resources[field]?.[name] === undefined);
  if (missing.length > 0) resources[field] = { ...amounts, ...resources[field] };
  return missing.toSorted();
}

function podReasons(pod: Pod, item: LimitRangeItem): readonly string[] {
  if (item.type === 'Pod')
    return boundReasons(item, podResources(pod.spec ?? {}, 'requests'), podResources(pod.spec ?? {}, 'limits'));
  if (item.type !== 'Container') return [];
  const containers = [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])];
  return containers.flatMap(({ resources = {} }) =>
    boundReasons(item, resources.requests ?? {}, resources.limits ?? {}),
  );
}

function claimReasons({ spec }: PersistentVolumeClaim, item: LimitRangeItem): readonly string[] {
  if (item.type !== 'PersistentVolumeClaim') return [];
  const { requests = {} } = spec?.resources ?? {};
  return Object.keys(requests).flatMap((name) => [
    ...minimumReasons(item, name, requests, {}),
    ...(item.max?.[name] !== undefined && isOver(requests[name] ?? '0', item.max[name])
      ? [`maximum ${name} usage per ${item.type ?? ''} is ${item.max[name]}, but request is ${requests[name] ?? ''}`]
      : []),
  ]);
}

function boundReasons(item: LimitRangeItem, requests: Amounts, limits: Amounts): readonly string[] {
  return [
    ...Object.keys(item.min ?? {}).flatMap((name) => [...minimumReasons(item, name, requests, limits)]),
    ...Object.keys(item.max ?? {}).flatMap((name) => [...maximumReasons(item, name, requests, limits)]),
    ...Object.keys(item.maxLimitRequestRatio ?? {}).flatMap((name) => [...ratioReasons(item, name, requests, limits)]),
  ];
}

function* minimumReasons(item: LimitRangeItem, name: string, requests: Amounts, limits: Amounts): Generator<string> {
  const least = item.min?.[name];
  if (least === undefined) return;
  const start = `minimum ${name} usage per ${item.type ?? ''} is ${least}`;
  const [request, limit] = [requests[name], limits[name]];
  if (request === undefined) yield `${start}.  No request is specified`;
  else if (isOver(least, request)) yield `${start}, but request is ${request}`;
  else if (limit !== undefined && isOver(least, limit)) yield `${start}, but limit is ${limit}`;
}

function* maximumReasons(item: LimitRangeItem, name: string, requests: Amounts, limits: Amounts): Generator<string> {
  const most = item.max?.[name] ?? '0';
  const start = `maximum ${name} usage per ${item.type ?? ''} is ${most}`;
  const [request, limit] = [requests[name], limits[name]];
  if (limit === undefined) yield `${start}.  No limit is specified`;
  else if (isOver(limit, most)) yield `${start}, but limit is ${limit}`;
  else if (request !== undefined && isOver(request, most)) yield `${start}, but request is ${request}`;
}

function* ratioReasons(item: LimitRangeItem, name: string, requests: Amounts, limits: Amounts): Generator<string> {
  const most = item.maxLimitRequestRatio?.[name] ?? '0';
  const start = `${name} max limit to request ratio per ${item.type ?? ''} is ${most}`;
  const [request, limit] = [millisOf(requests[name]), millisOf(limits[name])];
  if (request === 0) yield `${start}, but no request is specified or request is 0`;
  else if (limit === 0) yield `${start}, but no limit is specified or limit is 0`;
  else if (limit / request > millisOf(most) / 1000)
    yield `${start}, but provided ratio is ${(limit / request).toFixed(6)}`;
}

function millisOf(amount = '0'): number {
  return Number(quantityMillis(parseQuantity(amount)));
}

function isOver(one: string, other: string): boolean {
  return compareQuantities(parseQuantity(one), parseQuantity(other)) > 0;
}
