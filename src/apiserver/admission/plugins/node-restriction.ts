import { isDeepStrictEqual } from 'node:util';

import { objectOf, objectsOf, textOf } from '#kube/fields.ts';
import type { Resource } from '#kube/resource.ts';
import type { Node, Pod } from '#kube/types/gen/core-v1.ts';

import { nodeOf } from '../../auth/node/node-authorizer.ts';
import type { Objects } from '../../auth/objects.ts';
import { wellKnown } from '../../auth/user.ts';
import type { AdmissionPlugin, AdmissionRequest } from '../admission.ts';
import { refusal } from '../refusal.ts';

const mirror = 'kubernetes.io/config.mirror';

/** Labels of kubernetes.io that a node may set on itself. */
const ownLabels = new Set([
  'kubernetes.io/hostname',
  'kubernetes.io/os',
  'kubernetes.io/arch',
  'beta.kubernetes.io/os',
  'beta.kubernetes.io/arch',
  'node.kubernetes.io/instance-type',
  'beta.kubernetes.io/instance-type',
  'topology.kubernetes.io/region',
  'topology.kubernetes.io/zone',
  'failure-domain.beta.kubernetes.io/region',
  'failure-domain.beta.kubernetes.io/zone',
  'failure-domain.kubernetes.io/region',
  'failure-domain.kubernetes.io/zone',
]);
const ownPrefixes = /^([^/]*\.)?(kubelet|node)\.kubernetes\.io\//;
const kubernetesPrefixes = /^([^/]*\.)?(kubernetes|k8s)\.io\//;
const reservedPrefixes = /^([^/]*\.)?node-restriction\.kubernetes\.io\//;

type Check = (request: AdmissionRequest, node: string, objects: Objects, signal: AbortSignal) => Promise<void> | void;

const checks: Readonly<Record<string, Check>> = {
  '/pods': checkPod,
  '/pods/status': checkPodStatus,
  '/pods/eviction': checkEviction,
  '/nodes': checkNode,
  '/nodes/status': checkNode,
  '/serviceaccounts/token': checkToken,
  'coordination.k8s.io/leases': checkLease,
  'storage.k8s.io/csinodes': checkCsiNode,
};

/** A node agent writes only about its own node and pods. */
export function nodeRestriction(objects: Objects): AdmissionPlugin {
  return {
    name: 'NodeRestriction',
    validate: async (request, signal) => {
      const { user, resource, subresource } = request;
      const node = nodeOf(user);
      if (node === undefined) {
        if (user.groups.includes(wellKnown.nodes))
          throw refusal(request, `could not determine node from user ${quote(user.name)}`);
        return;
      }
      const part = subresource === '' ? '' : `/${subresource}`;
      await checks[`${resource.group}/${resource.resource}${part}`]?.(request, node, objects, signal);
    },
  };
}

function checkPod(request: AdmissionRequest, node: string): void {
  const { operation, object, oldObject } = request;
  if (operation === 'CREATE') checkMirror(request, node, object as Pod);
  else if (operation === 'DELETE') {
    const pod: Pod | undefined = oldObject;
    const name = pod?.spec?.nodeName;
    if (name !== node)
      throw refusal(request, `node ${quote(node)} can only delete pods with spec.nodeName set to itself`);
  } else
    throw refusal(
      request,
      `unexpected operation ${quote(operation)}, node ${quote(node)} can only create and delete mirror pods`,
    );
}

/** The pods that a node makes stand for those it was told to run by files of its own. */
function checkMirror(request: AdmissionRequest, node: string, { spec = {}, metadata }: Pod): void {
  const refuse = (why: string): never => {
    throw refusal(request, why);
  };
  if (metadata.annotations?.[mirror] === undefined)
    refuse(`pod does not have ${quote(mirror)} annotation, node ${quote(node)} can only create mirror pods`);
  if (spec.nodeName !== node) refuse(`node ${quote(node)} can only create pods with spec.nodeName set to itself`);
  const owners = metadata.ownerReferences ?? [];
  const [owner] = owners;
  const isOwn = owners.length === 1 && owner?.kind === 'Node' && owner.apiVersion === 'v1' && owner.name === node;
  if (!isOwn || owner.controller !== true || owner.blockOwnerDeletion === true)
    refuse(`node ${quote(node)} can only create pods with an owner reference set to itself`);
  if ((spec.serviceAccountName ?? '') !== '')
    refuse(`node ${quote(node)} can not create pods that reference a service account`);
  for (const volume of spec.volumes ?? []) {
    for (const [kind, what] of [
      ['secret', 'secrets'],
      ['configMap', 'configmaps'],
      ['persistentVolumeClaim', 'persistentvolumeclaims'],
    ] as const)
      if (volume[kind] !== undefined) refuse(`node ${quote(node)} can not create pods that reference ${what}`);
  }
}

function checkPodStatus(request: AdmissionRequest, node: string): void {
  const pod = request.object as Pod;
  const old: Pod | undefined = request.oldObject;
  if (old?.spec?.nodeName !== node)
    throw refusal(request, `node ${quote(node)} can only update pod status for pods with spec.nodeName set to itself`);
  if (!isDeepStrictEqual(pod.metadata.labels ?? {}, old.metadata.labels ?? {}))
    throw refusal(request, `node ${quote(node)} cannot update labels through pod status`);
}

async function checkEviction(
  request: AdmissionRequest,
  node: string,
  objects: Objects,
  signal: AbortSignal,
): Promise<void> {
  const name = request.object?.metadata.name ?? request.name;
  const pod = await objects.get({ group: '', resource: 'pods' }, request.namespace, name, signal);
  if (textOf(objectOf(pod?.['spec'])['nodeName']) !== node)
    throw refusal(request, `node ${quote(node)} can only evict pods with spec.nodeName set to itself`);
}

function checkNode(request: AdmissionRequest, node: string): void {
  const { operation, object, oldObject, name } = request;
  const requested = name === '' ? (object?.metadata.name ?? '') : name;
  if (requested !== node)
    throw refusal(request, `node ${quote(node)} is not allowed to modify node ${quote(requested)}`);
  if (operation === 'CREATE') refuseLabels(request, node, setLabels(object, undefined));
  if (operation !== 'UPDATE') return;
  const [spec, old] = [(object as Node).spec ?? {}, (oldObject as Node).spec ?? {}];
  if (!isDeepStrictEqual(spec.taints ?? [], old.taints ?? []))
    throw refusal(request, `node ${quote(node)} is not allowed to modify taints`);
  if (!isDeepStrictEqual(object?.metadata.ownerReferences, oldObject?.metadata.ownerReferences))
    throw refusal(request, `node ${quote(node)} is not allowed to modify ownerReferences`);
  refuseLabels(request, node, setLabels(object, oldObject));
}

/** Labels by which work is kept away from nodes that somebody has taken over. */
function refuseLabels(request: AdmissionRequest, node: string, labels: readonly string[]): void {
  const foreign = labels.filter(
    (label) =>
      reservedPrefixes.test(label) ||
      (kubernetesPrefixes.test(label) && !ownLabels.has(label) && !ownPrefixes.test(label)),
  );
  if (foreign.length === 0) return;
  const verb = request.operation === 'CREATE' ? 'set' : 'modify';
  const names = foreign.toSorted().join(', ');
  throw refusal(request, `node ${quote(node)} is not allowed to ${verb} the following labels: ${names}`);
}

/** Labels whose value is another than before. */
function setLabels(object: Resource | undefined, old: Resource | undefined): readonly string[] {
  const [now, before] = [object?.metadata.labels ?? {}, old?.metadata.labels ?? {}];
  return [...new Set([...Object.keys(now), ...Object.keys(before)])].filter((key) => now[key] !== before[key]);
}

/** A node gets tokens of accounts only bound to pods that run on it. */
async function checkToken(
  request: AdmissionRequest,
  node: string,
  objects: Objects,
  signal: AbortSignal,
): Promise<void> {
  const bound = objectOf(objectOf(request.object?.['spec'])['boundObjectRef']);
  const [kind, name, uid] = [bound['kind'], bound['name'], bound['uid']].map(textOf);
  if (kind !== 'Pod' || name === '') throw refusal(request, 'node requested token not bound to a pod');
  if (uid === '') throw refusal(request, 'node requested token with a pod binding without a uid');
  const pod = await objects.get({ group: '', resource: 'pods' }, request.namespace, name ?? '', signal);
  if (pod === undefined) throw refusal(request, `pod ${quote(name)} not found`);
  if (pod.metadata.uid !== uid)
    throw refusal(request, `the UID in the bound object reference (${uid ?? ''}) does not match the UID in record`);
  if (textOf(objectOf(pod['spec'])['nodeName']) !== node)
    throw refusal(request, 'node requested token bound to a pod scheduled on a different node');
  await checkAudiences(request, pod, objects, signal);
}

/** Audiences are those that the pod itself asks for, or the server's own. */
async function checkAudiences(
  request: AdmissionRequest,
  pod: Resource,
  objects: Objects,
  signal: AbortSignal,
): Promise<void> {
  const spec = objectOf(pod['spec']);
  const wanted = objectOf(request.object?.['spec'])['audiences'];
  const asked = Array.isArray(wanted) ? wanted.map(textOf).filter((one) => one !== '') : [];
  const allowed = new Set(
    objectsOf(spec['volumes']).flatMap((volume) =>
      objectsOf(objectOf(volume['projected'])['sources']).map((source) =>
        textOf(objectOf(source['serviceAccountToken'])['audience']),
      ),
    ),
  );
  for (const volume of objectsOf(spec['volumes'])) {
    const driver = textOf(objectOf(volume['csi'])['driver']);
    const found =
      driver === ''
        ? undefined
        : await objects.get({ group: 'storage.k8s.io', resource: 'csidrivers' }, '', driver, signal);
    for (const token of objectsOf(objectOf(found?.['spec'])['tokenRequests'])) allowed.add(textOf(token['audience']));
  }
  const foreign = asked.find((audience) => !allowed.has(audience));
  if (foreign !== undefined && !(asked.length === 1 && isServerAudience(foreign)))
    throw refusal(request, `audience ${quote(foreign)} not found in pod spec volume`);
}

function isServerAudience(audience: string): boolean {
  return audience.startsWith('https://kubernetes.default.svc');
}

function checkLease(request: AdmissionRequest, node: string): void {
  const name = request.name === '' ? (request.object?.metadata.name ?? '') : request.name;
  if (request.namespace !== 'kube-node-lease')
    throw refusal(request, 'can only access leases in the "kube-node-lease" system namespace');
  if (name !== node) throw refusal(request, 'can only access node lease with the same name as the requesting node');
}

function checkCsiNode(request: AdmissionRequest, node: string): void {
  const name = request.name === '' ? (request.object?.metadata.name ?? '') : request.name;
  if (name !== node) throw refusal(request, 'can only access CSINode with the same name as the requesting node');
}

function quote(text: string | undefined): string {
  return JSON.stringify(text ?? '');
}
