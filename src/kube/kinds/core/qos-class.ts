import { compareQuantities, parseQuantity, type Quantity } from '#formats/quantity.ts';

import type { PodSpec, ResourceRequirements } from '../../types/gen/core-v1.ts';

/** Resources that decide. */
const deciding = ['cpu', 'memory'] as const;

/**
 * How well a pod is served when its node runs short (core/helper/qos): BestEffort without any request or limit, Guaranteed
 * when every container has limits for cpu and memory and requests exactly them, else Burstable.
 */
export function qosClassOf(spec: PodSpec): 'BestEffort' | 'Guaranteed' | 'Burstable' {
  const own = spec.resources;
  const wanted =
    own === undefined
      ? [...(spec.containers ?? []), ...(spec.initContainers ?? [])].map(({ resources }) => resources ?? {})
      : [own];
  const isAny = wanted.some((one) => deciding.some((name) => isSet(one.requests?.[name]) || isSet(one.limits?.[name])));
  if (!isAny) return 'BestEffort';
  return wanted.every(isGuaranteed) ? 'Guaranteed' : 'Burstable';
}

function isGuaranteed({ limits = {}, requests = {} }: ResourceRequirements): boolean {
  return deciding.every((name) => {
    const [limit, request] = [quantityOf(limits[name]), quantityOf(requests[name] ?? limits[name])];
    if (limit === undefined || request === undefined || limit.nanos <= 0n) return false;
    return compareQuantities(limit, request) === 0;
  });
}

function isSet(text: string | undefined): boolean {
  return (quantityOf(text)?.nanos ?? 0n) > 0n;
}

function quantityOf(text: string | undefined): Quantity | undefined {
  try {
    return text === undefined ? undefined : parseQuantity(text);
  } catch {
    return undefined;
  }
}
