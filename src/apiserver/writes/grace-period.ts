import type { Resource } from '#kube/resource.ts';

interface PodParts {
  readonly spec?: { readonly nodeName?: string; readonly terminationGracePeriodSeconds?: number };
  readonly status?: { readonly phase?: string };
}

/**
 * Seconds that an object is given to end: pods what was asked for or what they say, and none when no node has them or they
 * have ended (core, registry/pod/strategy.go); all else none.
 */
export function gracePeriodOf(object: Resource, askedSeconds: number | undefined): number {
  if (object.kind !== 'Pod' || object.apiVersion !== 'v1') return 0;
  const { spec, status } = object as unknown as PodParts;
  if ((spec?.nodeName ?? '') === '' || ['Failed', 'Succeeded'].includes(status?.phase ?? '')) return 0;
  const seconds = askedSeconds ?? spec?.terminationGracePeriodSeconds ?? 30;
  // A negative period once meant "at once", and still does.
  return seconds < 0 ? 1 : seconds;
}
