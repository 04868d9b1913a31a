import type {
  ConfigMapVolumeSource,
  DownwardAPIVolumeFile,
  KeyToPath,
  ProjectedVolumeSource,
  Volume,
  VolumeProjection,
} from '../../types/gen/core-v1.ts';
import { duplicate, forbidden, invalid, invalids, required } from '../faults.ts';
import { configKeyFaults, labelFaults } from '../names.ts';
import type { Faults } from '../object-meta.ts';
import { quantityOf } from '../resources.ts';
import { selectorFaults } from '../selectors.ts';
import { choiceFaults } from '../values.ts';
import { claimSpecFaults } from './claim.ts';
import { fieldReferenceFaults, resourceReferenceFaults, volumeFields } from './field-references.ts';
import { descendingPathFaults, fileModeFaults, noBackstepsFaults, unreservedPathFaults } from './paths.ts';

/** Volumes of a pod. `podName`: of a pod itself, whose ephemeral volumes get claims named after it. */
export function* volumeFaults(volumes: readonly Volume[], podName: string, path: string): Faults {
  const names = new Set<string>();
  const ownClaims = new Set(
    volumes
      .filter(({ ephemeral }) => podName !== '' && ephemeral !== undefined)
      .map(({ name = '' }) => `${podName}-${name}`),
  );
  for (const [index, volume] of volumes.entries()) {
    const at = `${path}[${String(index)}]`;
    const { name = '', persistentVolumeClaim: { claimName = '' } = {} } = volume;
    yield* sourceFaults(volume, at);
    if (name === '') yield required(`${at}.name`);
    else yield* invalids(`${at}.name`, name, labelFaults(name));
    if (names.has(name)) yield duplicate(`${at}.name`, name);
    names.add(name);
    if (ownClaims.has(claimName))
      yield invalid(
        `${at}.persistentVolumeClaim.claimName`,
        claimName,
        'must not reference a PVC that gets created for an ephemeral volume',
      );
  }
}

function* sourceFaults(volume: Volume, path: string): Faults {
  let isKnown = false;
  for (const kind of kinds) {
    if (volume[kind] === undefined) continue;
    if (isKnown) yield forbidden(`${path}.${kind}`, 'may not specify more than 1 volume type');
    else yield* checks[kind]?.(volume, `${path}.${kind}`) ?? [];
    isKnown = true;
  }
  if (!isKnown) yield required(path, 'must specify a volume type');
}

/** Kinds of volumes in the order that they are looked at. */
const kinds = [
  'emptyDir',
  'hostPath',
  'gitRepo',
  'gcePersistentDisk',
  'awsElasticBlockStore',
  'secret',
  'nfs',
  'iscsi',
  'glusterfs',
  'flocker',
  'persistentVolumeClaim',
  'rbd',
  'cinder',
  'cephfs',
  'quobyte',
  'downwardAPI',
  'fc',
  'flexVolume',
  'configMap',
  'azureFile',
  'vsphereVolume',
  'photonPersistentDisk',
  'portworxVolume',
  'azureDisk',
  'storageos',
  'projected',
  'scaleIO',
  'csi',
  'ephemeral',
  'image',
] as const satisfies (keyof Volume)[];

const hostPathTypes = [
  '',
  'BlockDevice',
  'CharDevice',
  'Directory',
  'DirectoryOrCreate',
  'File',
  'FileOrCreate',
  'Socket',
];

/** Rules of those kinds that have some; drivers of clouds have none, since no node of ours has them. */
const checks: Partial<Record<(typeof kinds)[number], (volume: Volume, path: string) => Faults>> = {
  *emptyDir({ emptyDir }, path) {
    if ((quantityOf(emptyDir?.sizeLimit)?.nanos ?? 0n) < 0n)
      yield forbidden(`${path}.sizeLimit`, 'SizeLimit field must be a valid resource quantity');
  },
  *hostPath({ hostPath: { path: target = '', type } = {} }, path) {
    if (target === '') {
      yield required(`${path}.path`);
      return;
    }
    yield* noBackstepsFaults(`${path}.path`, target);
    yield* choiceFaults(`${path}.type`, type, hostPathTypes);
  },
  *gitRepo({ gitRepo: { repository = '', directory = '' } = {} }, path) {
    if (repository === '') yield required(`${path}.repository`);
    yield* descendingPathFaults(`${path}.directory`, directory);
  },
  *secret({ secret }, path) {
    if ((secret?.secretName ?? '') === '') yield required(`${path}.secretName`);
    yield* keyedFaults(secret ?? {}, path);
  },
  *configMap({ configMap }, path) {
    if ((configMap?.name ?? '') === '') yield required(`${path}.name`);
    yield* keyedFaults(configMap ?? {}, path);
  },
  *nfs({ nfs: { server = '', path: target = '' } = {} }, path) {
    if (server === '') yield required(`${path}.server`);
    if (target === '') yield required(`${path}.path`);
    else if (!target.startsWith('/')) yield invalid(`${path}.path`, target, 'must be an absolute path');
  },
  *iscsi({ iscsi: { targetPortal = '', iqn = '' } = {} }, path) {
    if (targetPortal === '') yield required(`${path}.targetPortal`);
    if (iqn === '') yield required(`${path}.iqn`);
    else if (!/^(iqn|eui|naa)/.test(iqn))
      yield invalid(`${path}.iqn`, iqn, 'must be valid format starting with iqn, eui, or naa');
  },
  *persistentVolumeClaim({ persistentVolumeClaim }, path) {
    if ((persistentVolumeClaim?.claimName ?? '') === '') yield required(`${path}.claimName`);
  },
  *downwardAPI({ downwardAPI }, path) {
    yield* fileModeFaults(`${path}.defaultMode`, downwardAPI?.defaultMode);
    for (const file of downwardAPI?.items ?? []) yield* downwardFileFaults(file, path);
  },
  *projected({ projected = {} }, path) {
    yield* fileModeFaults(`${path}.defaultMode`, projected.defaultMode);
    yield* projectionFaults(projected, path);
  },
  *csi({ csi }, path) {
    if ((csi?.driver ?? '') === '') yield required(`${path}.driver`);
    if (csi?.nodePublishSecretRef !== undefined && (csi.nodePublishSecretRef.name ?? '') === '')
      yield required(`${path}.nodePublishSecretRef.name`);
  },
  *ephemeral({ ephemeral }, path) {
    if (ephemeral?.volumeClaimTemplate === undefined) yield required(`${path}.volumeClaimTemplate`);
    else yield* claimSpecFaults(ephemeral.volumeClaimTemplate.spec ?? {}, `${path}.volumeClaimTemplate.spec`);
  },
  *image({ image }, path) {
    if ((image?.reference ?? '') === '') yield required(`${path}.reference`);
    yield* choiceFaults(`${path}.pullPolicy`, image?.pullPolicy, ['Always', 'IfNotPresent', 'Never']);
  },
};

function* keyedFaults({ defaultMode, items = [] }: ConfigMapVolumeSource, path: string): Faults {
  yield* fileModeFaults(`${path}.defaultMode`, defaultMode);
  for (const [index, item] of items.entries()) yield* keyToPathFaults(item, `${path}.items[${String(index)}]`);
}

function* keyToPathFaults({ key = '', path: target = '', mode }: KeyToPath, path: string): Faults {
  if (key === '') yield required(`${path}.key`);
  if (target === '') yield required(`${path}.path`);
  yield* unreservedPathFaults(`${path}.path`, target);
  yield* fileModeFaults(`${path}.mode`, mode);
}

function* downwardFileFaults(
  { path: target = '', fieldRef, resourceFieldRef, mode }: DownwardAPIVolumeFile,
  path: string,
): Faults {
  if (target === '') yield required(`${path}.path`);
  yield* unreservedPathFaults(`${path}.path`, target);
  if (fieldRef !== undefined) {
    yield* fieldReferenceFaults(fieldRef, volumeFields, `${path}.fieldRef`);
    if (resourceFieldRef !== undefined)
      yield invalid(path, 'resource', 'fieldRef and resourceFieldRef can not be specified simultaneously');
  } else if (resourceFieldRef !== undefined)
    yield* resourceReferenceFaults(resourceFieldRef, true, `${path}.resourceFieldRef`);
  else yield required(path, 'one of fieldRef and resourceFieldRef is required');
  yield* fileModeFaults(`${path}.mode`, mode);
}

function* projectionFaults({ sources = [] }: ProjectedVolumeSource, path: string): Faults {
  const taken = new Set<string>();
  for (const [index, source] of sources.entries()) {
    const at = `${path}.sources[${String(index)}]`;
    yield* projectedFileFaults(source, at, path);
    for (const [target, owner] of targetsOf(source)) {
      if (target !== '' && taken.has(target)) yield invalid(path, owner, 'conflicting duplicate paths');
      taken.add(target);
    }
    const { secret, configMap, downwardAPI, serviceAccountToken, clusterTrustBundle } = source;
    const kindsOfSource = [secret, configMap, downwardAPI, serviceAccountToken, clusterTrustBundle];
    if (kindsOfSource.filter((one) => one !== undefined).length > 1)
      yield forbidden(at, 'may not specify more than 1 volume type per source');
  }
}

/** Paths that a source makes, each with what upstream names when it is taken. */
function targetsOf({ secret, configMap, downwardAPI, clusterTrustBundle }: VolumeProjection): [string, string][] {
  return [
    ...(secret?.items ?? []).map(({ path = '' }): [string, string] => [path, secret?.name ?? '']),
    ...(configMap?.items ?? []).map(({ path = '' }): [string, string] => [path, configMap?.name ?? '']),
    ...(downwardAPI?.items ?? []).map(({ path = '' }): [string, string] => [path, path]),
    ...(clusterTrustBundle?.path === undefined
      ? []
      : [[clusterTrustBundle.path, clusterTrustBundle.path] as [string, string]]),
  ];
}

const tenMinutes = 600;

function* projectedFileFaults(source: VolumeProjection, at: string, path: string): Faults {
  for (const kind of ['secret', 'configMap'] as const) {
    const keyed = source[kind];
    if (keyed === undefined) continue;
    if ((keyed.name ?? '') === '') yield required(`${at}.${kind}.name`);
    for (const [index, item] of (keyed.items ?? []).entries())
      yield* keyToPathFaults(item, `${at}.${kind}.items[${String(index)}]`);
  }
  for (const file of source.downwardAPI?.items ?? []) yield* downwardFileFaults(file, `${at}.downwardAPI`);
  if (source.serviceAccountToken !== undefined) {
    const { expirationSeconds = 0, path: target = '' } = source.serviceAccountToken;
    const field = `${at}.serviceAccountToken.expirationSeconds`;
    if (expirationSeconds < tenMinutes)
      yield invalid(field, expirationSeconds, 'may not specify a duration less than 10 minutes');
    if (expirationSeconds > 2 ** 32)
      yield invalid(field, expirationSeconds, 'may not specify a duration larger than 2^32 seconds');
    if (target === '') yield required(`${path}.path`);
    else yield* unreservedPathFaults(`${path}.path`, target);
  }
  if (source.clusterTrustBundle !== undefined)
    yield* bundleFaults(source.clusterTrustBundle, `${at}.clusterTrustBundle`);
}

function* bundleFaults(bundle: NonNullable<VolumeProjection['clusterTrustBundle']>, path: string): Faults {
  const { name, signerName, labelSelector, path: target = '' } = bundle;
  if (name !== undefined && signerName !== undefined)
    yield invalid(path, bundle, 'only one of name and signerName may be used');
  else if (name !== undefined) {
    if (name === '') yield required(`${path}.name`, 'must be a valid object name');
    if (labelSelector !== undefined)
      yield invalid(`${path}.labelSelector`, labelSelector, 'labelSelector must be unset if name is specified');
  } else if (signerName !== undefined) {
    if (signerName === '') yield required(`${path}.signerName`, 'must be a valid signer name');
    yield* selectorFaults(labelSelector, `${path}.labelSelector`);
  } else yield required(path, 'either name or signerName must be specified');
  if (target === '') yield required(`${path}.path`);
  yield* unreservedPathFaults(`${path}.path`, target);
}

/** Keys of data maps, each with its path. */
export function* dataKeyFaults(keys: readonly string[], path: string): Faults {
  for (const key of keys) yield* invalids(`${path}[${key}]`, key, configKeyFaults(key));
}
