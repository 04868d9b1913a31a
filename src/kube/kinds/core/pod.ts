import { podColumns } from '../../printing/pod-columns.ts';
import type { Pod } from '../../types/gen/core-v1.ts';
import { createOnly, defineKind, part } from '../define-kind.ts';
import { setPodDefaults } from './pod-defaults.ts';
import { qosClassOf } from './qos-class.ts';

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
});

function prepare(object: Pod, old: Pod | undefined): void {
  if (old === undefined) object.status = { phase: 'Pending', qosClass: qosClassOf(object.spec ?? {}) };
}
