import { compareQuantities, formatQuantity, parseQuantity, type Quantity } from '#formats/quantity.ts';

import type { ResourceClaim, ResourceRequirements } from '../types/gen/core-v1.ts';
import { duplicate, forbidden, invalid, invalids, required } from './faults.ts';
import { labelFaults, qualifiedNameFaults } from './names.ts';
import { type Faults, notNegative } from './object-meta.ts';

const countedObjects = [
  'pods',
  'resourcequotas',
  'services',
  'replicationcontrollers',
  'secrets',
  'configmaps',
  'persistentvolumeclaims',
  'services.nodeports',
  'services.loadbalancers',
];
const computed = ['cpu', 'memory', 'ephemeral-storage'];
const quotaNames: ReadonlySet<string> = new Set([
  ...computed,
  ...computed.map((name) => `requests.${name}`),
  ...computed.map((name) => `limits.${name}`),
  'requests.storage',
  ...countedObjects,
]);

/** The quantity of a text; undefined when it is none, which decoding refuses. */
export function quantityOf(text: string | undefined): Quantity | undefined {
  try {
    return text === undefined ? undefined : parseQuantity(text);
  } catch {
    return undefined;
  }
}

/** `cpu`, `memory`, `hugepages-2Mi`, or `example.com/device`. */
export function* containerResourceFaults(name: string, path: string): Faults {
  const first = [...resourceNameFaults(name, path)];
  yield* first;
  if (!name.includes('/')) {
    if (!computed.includes(name) && !isHugePages(name))
      yield invalid(path, name, 'must be a standard resource for containers');
  } else if (!isNative(name) && !isExtended(name))
    yield invalid(path, name, "doesn't follow extended resource name standard");
}

export function* quotaResourceFaults(name: string, path: string): Faults {
  yield* resourceNameFaults(name, path);
  if (!name.includes('/') && !isQuotaResource(name)) yield invalid(path, name, 'must be a standard resource for quota');
}

export function* resourceNameFaults(name: string, path: string): Faults {
  const faults = qualifiedNameFaults(name);
  yield* invalids(path, name, faults);
  if (faults.length === 0 && !name.includes('/') && name !== 'storage' && !isQuotaResource(name))
    yield invalid(path, name, 'must be a standard resource type or fully qualified');
}

/** Not negative, and whole where parts have no meaning. */
export function* resourceQuantityFaults(name: string, text: string, path: string): Faults {
  const quantity = quantityOf(text);
  if (quantity === undefined) return;
  if (quantity.nanos < 0n) yield invalid(path, formatQuantity(quantity), notNegative);
  if ((countedObjects.includes(name) || isExtended(name)) && quantity.nanos % 1_000_000_000n !== 0n)
    yield invalid(path, formatQuantity(quantity), 'must be an integer');
}

/** Whether more may be promised than there is. */
function allowsOvercommit(name: string): boolean {
  return isNative(name) && !isHugePages(name);
}

/** Requests and limits of a container (core/validation, validateResourceRequirements). */
export function* requirementFaults(
  { limits = {}, requests = {}, claims = [] }: ResourceRequirements,
  path: string,
  podClaims: ReadonlySet<string>,
  nameFaults = containerResourceFaults,
): Faults {
  for (const [name, text] of Object.entries(limits)) {
    yield* nameFaults(name, `${path}.limits[${name}]`);
    yield* resourceQuantityFaults(name, text, `${path}.limits[${name}]`);
    yield* hugePageFaults(name, text, `${path}.limits[${name}]`);
  }
  for (const [name, text] of Object.entries(requests)) {
    yield* nameFaults(name, `${path}.requests[${name}]`);
    yield* resourceQuantityFaults(name, text, `${path}.requests[${name}]`);
    yield* requestFaults(name, text, limits[name], path);
    yield* hugePageFaults(name, text, `${path}.requests[${name}]`);
  }
  const names = [...Object.keys(limits), ...Object.keys(requests)];
  if (names.some(isHugePages) && !names.some((name) => name === 'cpu' || name === 'memory'))
    yield forbidden(path, 'HugePages require cpu or memory');
  yield* claimFaults(claims, `${path}.claims`, podClaims);
}

function* requestFaults(name: string, text: string, limitText: string | undefined, path: string): Faults {
  const [request, limit] = [quantityOf(text), quantityOf(limitText)];
  if (request === undefined) return;
  if (limit === undefined) {
    if (!allowsOvercommit(name)) yield required(`${path}.limits`, 'Limit must be set for non overcommitable resources');
    return;
  }
  const order = compareQuantities(request, limit);
  const of = `${name} limit of ${formatQuantity(limit)}`;
  if (order !== 0 && !allowsOvercommit(name))
    yield invalid(`${path}.requests`, formatQuantity(request), `must be equal to ${of}`);
  else if (order > 0) yield invalid(`${path}.requests`, formatQuantity(request), `must be less than or equal to ${of}`);
}

function* claimFaults(claims: readonly ResourceClaim[], path: string, podClaims: ReadonlySet<string>): Faults {
  const seen = new Set<string>();
  for (const [index, { name = '', request = '' }] of claims.entries()) {
    const at = `${path}[${String(index)}]`;
    if (name === '') {
      yield required(at);
      continue;
    }
    const key = request === '' ? name : `${name}/${request}`;
    if (request !== '') yield* invalids(`${at}.request`, request, labelFaults(request));
    const overlaps = [...seen].some(
      (one) => one === name || one === key || (request === '' && one.startsWith(`${name}/`)),
    );
    if (overlaps) yield duplicate(at, key);
    seen.add(key);
    if (podClaims.has(name)) continue;
    const known = podClaims.size === 0 ? ' which is empty' : `: ${[...podClaims].toSorted().join(', ')}`;
    yield {
      type: 'FieldValueNotFound',
      path: at,
      value: name,
      detail: `must be one of the names in pod.spec.resourceClaims${known}`,
    };
  }
}

function* hugePageFaults(name: string, text: string, path: string): Faults {
  if (!isHugePages(name)) return;
  const [size, quantity] = [quantityOf(name.slice('hugepages-'.length)), quantityOf(text)];
  if (size === undefined || quantity === undefined || size.nanos <= 0n || quantity.nanos % size.nanos !== 0n)
    yield invalid(path, text, `${text} is not positive integer multiple of ${name}`);
}

function isHugePages(name: string): boolean {
  return name.startsWith('hugepages-');
}

function isQuotaResource(name: string): boolean {
  return quotaNames.has(name) || isHugePages(name) || name.startsWith('requests.hugepages-');
}

function isNative(name: string): boolean {
  return !name.includes('/') || name.includes('kubernetes.io/');
}

function isExtended(name: string): boolean {
  return !isNative(name) && !name.startsWith('requests.') && qualifiedNameFaults(`requests.${name}`).length === 0;
}
