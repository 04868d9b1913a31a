import { podColumns } from '../../printing/pod-columns.ts';
import type { Pod, PodSpec } from '../../types/gen/core-v1.ts';
import { createOnly, defineKind, part } from '../define-kind.ts';
import { setPodDefaults } from './pod-defaults.ts';
import { ephemeralContainerFaults, resizeFaults } from './pod-subresources.ts';
import { qosClassOf } from './qos-class.ts';
import { forbidden, invalid } from '../../validation/faults.ts';
import type { Faults } from '../../validation/object-meta.ts';
import { imageSpaceFaults } from '../../validation/pod/containers.ts';
import { containersOf, podSpecFaults } from '../../validation/pod/pod-spec.ts';
import { podUpdateFaults } from '../../validation/pod/pod-update.ts';

const binding = { group: '', version: 'v1', kind: 'Binding' };
const eviction = { group: 'policy', version: 'v1', kind: 'Eviction' };
const options = (kind: string) => ({ group: '', version: 'v1', kind });

export const pod = defineKind<Pod>({
  group: '',
  version: 'v1',
  kind: 'Pod',
  plural: 'pods',
  shortNames: ['po'],
  categories: ['all'],
  subresources: [
    part('attach', options('PodAttachOptions'), ['create', 'get']),
    part('binding', binding, createOnly),
    part('ephemeralcontainers'),
    part('eviction', eviction, createOnly),
    part('exec', options('PodExecOptions'), ['create', 'get']),
    part('log', undefined, ['get']),
    part('portforward', options('PodPortForwardOptions'), ['create', 'get']),
    part('proxy', options('PodProxyOptions'), ['create', 'delete', 'get', 'patch', 'update']),
    part('resize'),
  ],
  columns: podColumns,
  selectableFields: {
    'spec.nodeName': ({ spec }) => spec?.nodeName ?? '',
    'spec.restartPolicy': ({ spec }) => spec?.restartPolicy ?? '',
    'spec.schedulerName': ({ spec }) => spec?.schedulerName ?? '',
    'spec.serviceAccountName': ({ spec }) => spec?.serviceAccountName ?? '',
    'spec.hostNetwork': ({ spec }) => String(spec?.hostNetwork ?? false),
    'status.phase': ({ status }) => status?.phase ?? '',
    'status.podIP': ({ status }) => status?.podIP ?? '',
    'status.podIPs': ({ status }) => status?.podIPs?.[0]?.ip ?? '',
    'status.nominatedNodeName': ({ status }) => status?.nominatedNodeName ?? '',
  },
  initialStatus: { phase: 'Pending' },
  generationOf: ['spec'],
  setDefaults: setPodDefaults,
  prepare,
  subresourceRules: { ephemeralcontainers: ephemeralContainerFaults, resize: resizeFaults },
  validate,
});

function prepare(object: Pod, old: Pod | undefined): void {
  if (old === undefined) object.status = { phase: 'Pending', qosClass: qosClassOf(object.spec ?? {}) };
}

function* validate({ metadata, spec = {} }: Pod, old: Pod | undefined): Faults {
  yield* podSpecFaults(spec, metadata.name ?? '', 'spec');
  if ((spec.serviceAccountName ?? '') === '') yield* tokenFaults(spec);
  for (const [field, containers] of containersOf(spec)) yield* imageSpaceFaults(containers, `spec.${field}`);
  yield* annotationFaults(metadata.annotations, old === undefined ? undefined : (old.metadata.annotations ?? {}));
  if (old !== undefined) {
    yield* podUpdateFaults(spec, old.spec ?? {});
    return;
  }
  if ((spec.ephemeralContainers ?? []).length > 0)
    yield forbidden('spec.ephemeralContainers', 'cannot be set on create');
  if ((spec.nodeName ?? '') !== '' && (spec.schedulingGates ?? []).length > 0)
    yield forbidden('spec.nodeName', 'cannot be set until all schedulingGates have been cleared');
}

function* tokenFaults({ volumes = [] }: PodSpec): Faults {
  for (const [index, { projected }] of volumes.entries()) {
    for (const [source, { serviceAccountToken }] of (projected?.sources ?? []).entries())
      if (serviceAccountToken !== undefined)
        yield forbidden(
          `spec.volumes[${String(index)}].projected.sources[${String(source)}].serviceAccountToken`,
          'must not be specified when serviceAccountName is not set',
        );
  }
}

const mirror = 'kubernetes.io/config.mirror';
const deletionCost = 'controller.kubernetes.io/pod-deletion-cost';

type Annotations = Readonly<Record<string, string>>;

function* annotationFaults(annotations: Annotations = {}, old?: Annotations): Faults {
  const cost = annotations[deletionCost];
  if (cost !== undefined && !/^(0|-?[1-9]\d{0,9})$/.test(cost))
    yield invalid(`metadata.annotations[${deletionCost}]`, cost, 'must be a 32bit integer');
  if (old !== undefined && annotations[mirror] !== old[mirror]) {
    const verb = old[mirror] === undefined ? 'add' : 'remove or update';
    yield forbidden(`metadata.annotations[${mirror}]`, `may not ${verb} mirror pod annotation`);
  }
}
