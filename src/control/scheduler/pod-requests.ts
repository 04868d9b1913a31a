import { parseQuantity, quantityMillis, quantityUnits } from '#formats/quantity.ts';
import type { Container, PodSpec } from '#kube/types/gen/core-v1.ts';

/** Amounts by resource: millicores of cpu, bytes of memory and storage, counts of all else. */
export type Amounts = ReadonlyMap<string, number>;

/** What a pod's containers without a request count as when nodes are compared (upstream's non-zero requests). */
const assumed = { cpu: 100, memory: 200 * 1024 ** 2 };

/** Amounts of a list of quantities. */
export function amountsOf(quantities: Readonly<Record<string, string>> = {}): Map<string, number> {
  return new Map(
    Object.entries(quantities).map(([name, text]) => {
      const quantity = parseQuantity(text);
      return [name, Number(name === 'cpu' ? quantityMillis(quantity) : quantityUnits(quantity))];
    }),
  );
}

/**
 * What a pod needs: the sum of its containers and sidecars, or what an init container needs with the sidecars before it when
 * that is more, and its overhead (KEP-753).
 */
export function podRequests(spec: PodSpec = {}): Map<string, number> {
  return withInits(spec, (container) => amountsOf(container.resources?.requests));
}

/** The same with what containers that ask for nothing are taken to need. */
export function assumedRequests(spec: PodSpec = {}): Map<string, number> {
  return withInits(spec, (container) => {
    const amounts = amountsOf(container.resources?.requests);
    for (const [name, amount] of Object.entries(assumed)) if (!amounts.has(name)) amounts.set(name, amount);
    return amounts;
  });
}

function withInits(spec: PodSpec, of: (container: Container) => Amounts): Map<string, number> {
  const sum = new Map<string, number>();
  for (const container of spec.containers ?? []) add(sum, of(container));
  const sidecars = new Map<string, number>();
  const highest = new Map<string, number>();
  for (const init of spec.initContainers ?? []) {
    const own = of(init);
    if (init.restartPolicy === 'Always') {
      add(sidecars, own);
      raise(highest, sidecars);
      continue;
    }
    const here = new Map(sidecars);
    add(here, own);
    raise(highest, here);
  }
  add(sum, sidecars);
  raise(sum, highest);
  add(sum, amountsOf(spec.overhead));
  return sum;
}

function add(sum: Map<string, number>, amounts: Amounts): void {
  for (const [name, amount] of amounts) sum.set(name, (sum.get(name) ?? 0) + amount);
}

function raise(highest: Map<string, number>, amounts: Amounts): void {
  for (const [name, amount] of amounts) highest.set(name, Math.max(highest.get(name) ?? 0, amount));
}
