import type { Column } from '../../kind.ts';
import { ageColumn, nameColumn, text, wide } from '../../printing/columns.ts';
import { unset } from '../../printing/labels.ts';
import type { PersistentVolume } from '../../types/gen/core-v1.ts';
import { defineKind } from '../define-kind.ts';
import { accessModesText } from './access-modes.ts';
import { isEqualJson } from '#base/json.ts';
import { forbidden, invalid, invalids, notSupported, required } from '../../validation/faults.ts';
import { subdomainFaults } from '../../validation/names.ts';
import type { Faults } from '../../validation/object-meta.ts';
import { immutable } from '../../validation/object-meta.ts';
import { accessModeFaults, volumeModes } from '../../validation/pod/claim.ts';
import { differenceText } from '../../validation/pod/difference.ts';
import { noBackstepsFaults } from '../../validation/pod/paths.ts';
import { nodeSelectorFaults } from '../../validation/pod/scheduling.ts';
import { quantityOf } from '../../validation/resources.ts';
import { choiceFaults } from '../../validation/values.ts';

const classAnnotation = 'volume.beta.kubernetes.io/storage-class';

const columns: readonly Column<PersistentVolume>[] = [
  nameColumn,
  text('Capacity', 'Size.', ({ spec }) => spec?.capacity?.['storage'] ?? '0'),
  text('Access Modes', 'How it can be mounted.', ({ spec }) => accessModesText(spec?.accessModes)),
  text(
    'Reclaim Policy',
    'What happens to it after its claim.',
    ({ spec }) => spec?.persistentVolumeReclaimPolicy ?? '',
  ),
  text('Status', 'Phase.', ({ metadata, status }) =>
    metadata.deletionTimestamp === undefined ? (status?.phase ?? '') : 'Terminating',
  ),
  text('Claim', 'The claim it is bound to.', ({ spec }) =>
    spec?.claimRef === undefined ? '' : `${spec.claimRef.namespace ?? ''}/${spec.claimRef.name ?? ''}`,
  ),
  text(
    'StorageClass',
    'Class it belongs to.',
    ({ metadata, spec }) => metadata.annotations?.[classAnnotation] ?? spec?.storageClassName ?? '',
  ),
  text('VolumeAttributesClass', 'Class of its attributes.', ({ spec }) => spec?.volumeAttributesClassName ?? unset),
  text('Reason', 'Why it is in this phase.', ({ status }) => status?.reason ?? ''),
  ageColumn,
  wide(text('VolumeMode', 'Filesystem or Block.', ({ spec }) => spec?.volumeMode ?? unset)),
];

export const persistentVolume = defineKind<PersistentVolume>({
  group: '',
  version: 'v1',
  kind: 'PersistentVolume',
  plural: 'persistentvolumes',
  shortNames: ['pv'],
  scope: 'Cluster',
  columns,
  initialStatus: { phase: 'Pending' },
  setDefaults,
  validate,
});

function setDefaults(object: PersistentVolume): void {
  const spec = (object.spec ??= {});
  spec.persistentVolumeReclaimPolicy ||= 'Retain';
  spec.volumeMode ??= 'Filesystem';
  if (spec.hostPath !== undefined) spec.hostPath.type ??= '';
  if (spec.iscsi !== undefined) spec.iscsi.iscsiInterface ||= 'default';
}

function* validate({ spec = {} }: PersistentVolume, old: PersistentVolume | undefined): Faults {
  const modes = spec.accessModes ?? [];
  if (modes.length === 0) yield required('spec.accessModes');
  yield* accessModeFaults(modes, 'spec.accessModes');
  const size = spec.capacity?.['storage'];
  if (spec.capacity === undefined) yield required('spec.capacity');
  if (spec.capacity !== undefined && (size === undefined || Object.keys(spec.capacity).length > 1))
    yield notSupported('spec.capacity', spec.capacity, ['storage']);
  if (size !== undefined && (quantityOf(size)?.nanos ?? 1n) <= 0n)
    yield invalid('spec.capacity[storage]', size, 'must be greater than zero');
  yield* choiceFaults('spec.persistentVolumeReclaimPolicy', spec.persistentVolumeReclaimPolicy, [
    'Delete',
    'Recycle',
    'Retain',
  ]);
  yield* sourceFaults(spec);
  if (spec.nodeAffinity !== undefined) {
    if (spec.nodeAffinity.required === undefined)
      yield required('spec.nodeAffinity.required', 'must specify required node constraints');
    else yield* nodeSelectorFaults(spec.nodeAffinity.required, 'spec.nodeAffinity.required');
  }
  const { storageClassName = '' } = spec;
  if (storageClassName !== '')
    yield* invalids('spec.storageClassName', storageClassName, subdomainFaults(storageClassName));
  yield* choiceFaults('spec.volumeMode', spec.volumeMode, volumeModes);
  if (old === undefined) return;
  for (const source of sources)
    if (!isEqualJson(spec[source], old.spec?.[source])) {
      yield forbidden(
        'spec.persistentvolumesource',
        `spec.persistentvolumesource is immutable after creation\n${differenceText(old.spec?.[source], spec[source])}`,
      );
      break;
    }
  yield* immutable('spec.volumeMode', spec.volumeMode, old.spec?.volumeMode);
}

const sources = [
  'hostPath',
  'nfs',
  'iscsi',
  'fc',
  'csi',
  'local',
  'gcePersistentDisk',
  'awsElasticBlockStore',
  'glusterfs',
  'rbd',
  'cinder',
  'cephfs',
  'quobyte',
  'flexVolume',
  'azureFile',
  'azureDisk',
  'vsphereVolume',
  'portworxVolume',
  'scaleIO',
  'storageos',
  'photonPersistentDisk',
  'flocker',
] as const;

function* sourceFaults(spec: NonNullable<PersistentVolume['spec']>): Faults {
  const used = sources.filter((source) => spec[source] !== undefined);
  if (used.length === 0) yield required('spec', 'must specify a volume type');
  for (const source of used.slice(1)) yield forbidden(`spec.${source}`, 'may not specify more than 1 volume type');
  const { hostPath, local, nfs, csi } = spec;
  if (hostPath !== undefined && (hostPath.path ?? '') === '') yield required('spec.hostPath.path');
  if (hostPath?.path === '/' && spec.persistentVolumeReclaimPolicy === 'Recycle')
    yield forbidden('spec.persistentVolumeReclaimPolicy', "may not be 'recycle' for a hostPath mount of '/'");
  if (local !== undefined) {
    if ((local.path ?? '') === '') yield required('spec.local.path');
    yield* noBackstepsFaults('spec.local.path', local.path ?? '');
    if (spec.nodeAffinity === undefined) yield required('spec.nodeAffinity', 'Local volume requires node affinity');
  }
  if (nfs !== undefined && (nfs.server ?? '') === '') yield required('spec.nfs.server');
  if (nfs !== undefined && (nfs.path ?? '') === '') yield required('spec.nfs.path');
  if (csi !== undefined && (csi.driver ?? '') === '') yield required('spec.csi.driver');
  if (csi !== undefined && (csi.volumeHandle ?? '') === '') yield required('spec.csi.volumeHandle');
}
