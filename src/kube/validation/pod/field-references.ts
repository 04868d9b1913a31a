import type { ObjectFieldSelector, ResourceFieldSelector } from '../../types/gen/core-v1.ts';
import { invalid, invalids, notSupported, required } from '../faults.ts';
import { qualifiedNameFaults } from '../names.ts';
import type { Faults } from '../object-meta.ts';
import { quantityOf } from '../resources.ts';

/** Fields that the environment of a container can be made from; sorted, as they are shown. */
export const environmentFields = [
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'spec.nodeName',
  'spec.serviceAccountName',
  'status.hostIP',
  'status.hostIPs',
  'status.podIP',
  'status.podIPs',
];

/** Fields that files of a volume can be made from. */
export const volumeFields = [
  'metadata.annotations',
  'metadata.labels',
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
];

/** Fields that there are at all. */
const convertible: ReadonlySet<string> = new Set([
  ...environmentFields,
  ...volumeFields,
  'spec.restartPolicy',
  'spec.schedulerName',
  'status.phase',
  'spec.host',
]);

const resourceFields = [
  'limits.cpu',
  'limits.ephemeral-storage',
  'limits.memory',
  'requests.cpu',
  'requests.ephemeral-storage',
  'requests.memory',
];
const sizes = '1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, 1Pi, 1Ei';

export function* fieldReferenceFaults(
  { apiVersion = '', fieldPath = '' }: ObjectFieldSelector,
  supported: readonly string[],
  path: string,
): Faults {
  if (apiVersion === '') {
    yield required(`${path}.apiVersion`);
    return;
  }
  if (fieldPath === '') {
    yield required(`${path}.fieldPath`);
    return;
  }
  const [, map = '', key = ''] = /^([^[]+)\['(.*)'\]$/.exec(fieldPath) ?? [];
  if (apiVersion !== 'v1') {
    yield invalid(`${path}.fieldPath`, fieldPath, `error converting fieldPath: unsupported pod version: ${apiVersion}`);
  } else if (map !== '') {
    if (map === 'metadata.annotations')
      yield* invalids(path, key.toLowerCase(), qualifiedNameFaults(key.toLowerCase()));
    else if (map === 'metadata.labels') yield* invalids(path, key, qualifiedNameFaults(key));
    else
      yield invalid(
        `${path}.fieldPath`,
        fieldPath,
        `error converting fieldPath: field label does not support subscript: ${fieldPath}`,
      );
  } else if (!convertible.has(fieldPath)) {
    yield invalid(
      `${path}.fieldPath`,
      fieldPath,
      `error converting fieldPath: field label not supported: ${fieldPath}`,
    );
  } else if (!supported.includes(fieldPath)) yield notSupported(`${path}.fieldPath`, fieldPath, supported);
}

export function* resourceReferenceFaults(
  { containerName = '', resource = '', divisor = '0' }: ResourceFieldSelector,
  needsContainer: boolean,
  path: string,
): Faults {
  if (needsContainer && containerName === '') yield required(`${path}.containerName`);
  else if (resource === '') yield required(`${path}.resource`);
  else if (!resourceFields.includes(resource) && !/^(requests|limits)\.hugepages-/.test(resource))
    yield notSupported(`${path}.resource`, resource, resourceFields);
  yield* divisorFaults(resource, divisor, `${path}.divisor`);
}

function* divisorFaults(resource: string, divisor: string, path: string): Faults {
  const quantity = quantityOf(divisor);
  if (quantity === undefined || quantity.nanos === 0n) return;
  const [, name = ''] = /^(?:limits|requests)\.(.+)$/.exec(resource) ?? [];
  if (name === 'cpu') {
    if (divisor !== '1' && divisor !== '1m')
      yield invalid(path, resource, "only divisor's values 1m and 1 are supported with the cpu resource");
    return;
  }
  const names: Readonly<Record<string, string>> = { memory: 'memory', 'ephemeral-storage': 'local ephemeral storage' };
  const shown = name.startsWith('hugepages-') ? 'hugepages' : names[name];
  if (shown !== undefined && !sizes.split(', ').includes(divisor))
    yield invalid(path, resource, `only divisor's values ${sizes} are supported with the ${shown} resource`);
}
