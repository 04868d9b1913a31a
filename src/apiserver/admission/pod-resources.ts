import { addQuantities, compareQuantities, formatQuantity, parseQuantity, type Quantity } from '#formats/quantity.ts';
import type { Container, PodSpec } from '#kube/types/gen/core-v1.ts';

/**
 * What a pod needs in all, by resource: containers and sidecars together, or the largest step of its start when that is more,
 * and its overhead (KEP 753). Amounts of the pod itself (spec.resources) come before.
 */
export function podResources(spec: PodSpec, field: 'requests' | 'limits'): Readonly<Record<string, string>> {
  const totals = new Map<string, Quantity>();
  for (const container of spec.containers ?? []) addAll(totals, amountsOf(container, field));
  const [sidecars, peaks] = startOf(spec.initContainers ?? [], field);
  addAll(totals, sidecars);
  for (const [name, peak] of peaks) {
    const total = totals.get(name);
    if (total === undefined || compareQuantities(peak, total) > 0) totals.set(name, peak);
  }
  for (const [name, amount] of Object.entries(spec.resources?.[field] ?? {})) totals.set(name, parseQuantity(amount));
  for (const [name, amount] of Object.entries(spec.overhead ?? {}))
    if (field === 'requests' || totals.has(name)) addAll(totals, new Map([[name, parseQuantity(amount)]]));
  return Object.fromEntries([...totals].map(([name, amount]) => [name, formatQuantity(amount)]));
}

/** What sidecars need together, and the most that is needed while the pod starts. */
function startOf(
  containers: readonly Container[],
  field: 'requests' | 'limits',
): readonly [ReadonlyMap<string, Quantity>, ReadonlyMap<string, Quantity>] {
  const sidecars = new Map<string, Quantity>();
  const peaks = new Map<string, Quantity>();
  for (const container of containers) {
    const needs = new Map(sidecars);
    addAll(needs, amountsOf(container, field));
    for (const [name, amount] of needs) {
      const peak = peaks.get(name);
      if (peak === undefined || compareQuantities(amount, peak) > 0) peaks.set(name, amount);
    }
    if (container.restartPolicy === 'Always') addAll(sidecars, amountsOf(container, field));
  }
  return [sidecars, peaks];
}

function amountsOf({ resources = {} }: Container, field: 'requests' | 'limits'): ReadonlyMap<string, Quantity> {
  return new Map(Object.entries(resources[field] ?? {}).map(([name, amount]) => [name, parseQuantity(amount)]));
}

function addAll(totals: Map<string, Quantity>, amounts: ReadonlyMap<string, Quantity>): void {
  for (const [name, amount] of amounts) {
    const total = totals.get(name);
    totals.set(name, total === undefined ? amount : addQuantities(total, amount));
  }
}
