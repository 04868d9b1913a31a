import { required } from '#base/assert.ts';
import { isObject } from '#base/json.ts';
import type { Resource } from '#kube/resource.ts';
import { badRequest, conflict } from '#kube/status.ts';

import { jsonReply, type Reply } from '../http/call.ts';
import { timeText } from '../writes/object-meta.ts';
import { updateObject } from '../writes/update-object.ts';
import { asResource, type ApiContext, type ResourceCall } from './context.ts';
import { bodyOf, writeOptionsOf } from './write-call.ts';

interface Condition {
  readonly type: string;
}

/** Gives a pod its node: POST of a Binding to the pod or to the namespace. */
export async function bindPod(context: ApiContext, { call }: ResourceCall, signal: AbortSignal): Promise<Reply> {
  const binding = asResource(await bodyOf(call, { group: '', version: 'v1', kind: 'Binding' }));
  const name = call.info.name === '' ? (binding.metadata.name ?? '') : call.info.name;
  const target = isObject(binding['target']) ? binding['target'] : {};
  const node = target['name'];
  if (typeof node !== 'string' || node === '') throw badRequest('target.name: Required value');
  if (![undefined, '', 'Node'].includes(target['kind'] as string | undefined))
    throw badRequest('target.kind: Unsupported value: supported values: "Node"');
  const pods = required(context.resources.find('', 'v1', 'pods'), 'the resource pods');
  const update = {
    namespace: call.info.namespace,
    name,
    optionsKind: 'UpdateOptions',
    change: (pod: Resource) => boundPod(pod, binding, node, context.nowMs()),
  } as const;
  await updateObject(context, pods, update, { ...writeOptionsOf(call), subresource: 'binding' }, signal);
  return jsonReply({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 }, 201);
}

function boundPod(pod: Resource, binding: Resource, node: string, nowMs: number): Resource {
  const { metadata } = pod;
  const name = metadata.name ?? '';
  const of = { group: '', resource: 'pods/binding' };
  const spec = isObject(pod['spec']) ? pod['spec'] : {};
  const status = isObject(pod['status']) ? pod['status'] : {};
  const { uid = '', resourceVersion = '' } = binding.metadata;
  if (uid !== '' && uid !== metadata.uid)
    throw conflict(
      of,
      name,
      `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${metadata.uid ?? ''}`,
    );
  if (resourceVersion !== '' && resourceVersion !== metadata.resourceVersion) throw conflict(of, name);
  if (metadata.deletionTimestamp !== undefined)
    throw conflict(of, name, `pod ${name} is being deleted, cannot be assigned to a host`);
  if (typeof spec['nodeName'] === 'string' && spec['nodeName'] !== '')
    throw conflict(of, name, `pod ${name} is already assigned to node "${spec['nodeName']}"`);
  if (Array.isArray(spec['schedulingGates']) && spec['schedulingGates'].length > 0)
    throw conflict(of, name, `pod ${name} has non-empty .spec.schedulingGates`);
  const conditions = (Array.isArray(status['conditions']) ? (status['conditions'] as Condition[]) : []).filter(
    ({ type }) => type !== 'PodScheduled',
  );
  const scheduled = { type: 'PodScheduled', status: 'True', lastProbeTime: null, lastTransitionTime: timeText(nowMs) };
  return {
    ...pod,
    metadata: {
      ...metadata,
      ...(binding.metadata.annotations === undefined
        ? {}
        : { annotations: { ...metadata.annotations, ...binding.metadata.annotations } }),
    },
    spec: { ...spec, nodeName: node },
    status: { ...status, conditions: [...conditions, scheduled] },
  };
}
