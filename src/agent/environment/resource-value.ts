import { StatusError } from '#base/errors.ts';
import { parseQuantity, quantityMillis } from '#formats/quantity.ts';
import type { Container, ResourceFieldSelector } from '#kube/types/gen/core-v1.ts';

/** Resources whose missing limit is what the node can give. */
const limitedByNode: ReadonlySet<string> = new Set(['cpu', 'memory', 'ephemeral-storage']);

/**
 * What a container requests or is limited to, in units of the divisor and rounded up (resourceFieldRef). Throws
 * InvalidArgument for resources that cannot be asked for.
 */
export function resourceValue(
  container: Pick<Container, 'resources'>,
  selector: ResourceFieldSelector,
  allocatable: Readonly<Record<string, string>>,
): string {
  const [, kind, name = ''] = /^(limits|requests)\.(cpu|memory|ephemeral-storage|hugepages-.*)$/.exec(
    selector.resource ?? '',
  ) ?? [null, '', ''];
  if (kind === '')
    throw new StatusError('InvalidArgument', `unsupported container resource : ${selector.resource ?? ''}`);
  const own = (kind === 'limits' ? container.resources?.limits : container.resources?.requests)?.[name];
  const fallback = kind === 'limits' && limitedByNode.has(name) ? allocatable[name] : undefined;
  const divisor = parseQuantity(selector.divisor ?? '1');
  return String(ceilingOf(own ?? fallback ?? '0', divisor.nanos === 0n ? '1' : (selector.divisor ?? '1'), name));
}

/** CPU counts in thousandths, all else in whole units. */
function ceilingOf(value: string, divisor: string, name: string): bigint {
  const [top, bottom] = [value, divisor].map((text) => {
    const quantity = parseQuantity(text);
    return name === 'cpu' ? quantityMillis(quantity) : quantity.nanos;
  });
  if (top === undefined || bottom === undefined || bottom === 0n) return 0n;
  return (top + bottom - 1n) / bottom;
}
