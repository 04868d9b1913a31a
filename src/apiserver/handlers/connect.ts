import { required } from '#base/assert.ts';
import { isObject } from '#base/json.ts';
import type { Resource } from '#kube/resource.ts';
import { badRequest, notFound } from '#kube/status.ts';

import type { Reply } from '../http/call.ts';
import { isTrue } from '../http/request-info.ts';
import { groupResourceOf } from '../resources/served-resource.ts';
import { storageOf } from '../writes/update-object.ts';
import type { ApiContext, ResourceCall } from './context.ts';
import { agentOf, type LogOptions, type Takeover } from './node-agent.ts';

interface Container {
  readonly name: string;
}

/** What a container printed, as plain text. */
export async function sendLog(context: ApiContext, target: ResourceCall, signal: AbortSignal): Promise<Reply> {
  const pod = await objectOf(target, signal);
  const { query } = target.call;
  const options = logOptions(pod, query);
  // No node runs it yet: it has printed nothing.
  if (nodeOf(pod) === '') return { kind: 'body', status: 200, contentType: 'text/plain', body: '' };
  const agent = agentOf(context.agent, `the log of pod "${pod.metadata.name ?? ''}"`);
  return { kind: 'stream', status: 200, contentType: 'text/plain', write: agent.log(pod, options) };
}

/** exec, attach and port-forward: the connection leaves HTTP, so the answer is the agent's. */
export async function connectToPod(context: ApiContext, target: ResourceCall, signal: AbortSignal): Promise<Reply> {
  const pod = await objectOf(target, signal);
  const { call } = target;
  const kind = call.info.subresource as Takeover['kind'];
  const name = pod.metadata.name ?? '';
  if (nodeOf(pod) === '') throw badRequest(`pod ${name} does not have a host assigned`);
  const agent = agentOf(context.agent, `pod "${name}"`);
  const { upgrade, headers } = call.exchange;
  if (upgrade === undefined) throw badRequest('Upgrade request required');
  const carry = agent.takeOver({ kind, pod, query: call.query, headers });
  return { kind: 'stream', status: 101, contentType: '', write: async (_out, until) => await carry(upgrade, until) };
}

/** A request that is passed on to a pod, service or node. */
export async function passRequest(context: ApiContext, target: ResourceCall, signal: AbortSignal): Promise<Reply> {
  const { call } = target;
  const [, name = '', port = ''] = /^(?:https?:)?([^:]*):?([^:]*):?$/.exec(call.info.name) ?? [];
  const info = { ...call.info, name };
  const object = await objectOf({ ...target, call: { ...call, info } }, signal);
  const agent = agentOf(context.agent, `${call.info.resource} "${name}"`);
  return {
    kind: 'stream',
    status: 200,
    contentType: '',
    write: async (_out, until) => await agent.proxy(object, port, `/${call.info.tail}`, call.exchange, until),
  };
}

function nodeOf({ spec }: Resource): string {
  const name = isObject(spec) ? spec['nodeName'] : undefined;
  return typeof name === 'string' ? name : '';
}

async function objectOf({ call, resource }: ResourceCall, signal: AbortSignal): Promise<Resource> {
  const { namespace, name } = call.info;
  const stored = await storageOf(resource, name).get(namespace, name, signal);
  if (stored === undefined) throw notFound(groupResourceOf(resource.def), name);
  return stored.object;
}

/** Throws BadRequest, in upstream's words for a pod with several containers. */
function logOptions(pod: Resource, query: URLSearchParams): LogOptions {
  const spec = isObject(pod['spec']) ? pod['spec'] : {};
  const names = ['containers', 'initContainers', 'ephemeralContainers'].map((field) =>
    (Array.isArray(spec[field]) ? (spec[field] as Container[]) : []).map(({ name }) => name),
  );
  const [containers = [], inits = []] = names;
  const name = pod.metadata.name ?? '';
  const container = query.get('container') ?? '';
  if (container === '' && containers.length > 1) {
    const init = inits.length === 0 ? '' : ` or one of the init containers: [${inits.join(' ')}]`;
    throw badRequest(
      `a container name must be specified for pod ${name}, choose one of: [${containers.join(' ')}]${init}`,
    );
  }
  if (container !== '' && !names.flat().includes(container))
    throw badRequest(`container ${container} is not valid for pod ${name}`);
  return {
    container: container === '' ? required(containers[0], 'a container') : container,
    follow: isTrue(query.get('follow')),
    previous: isTrue(query.get('previous')),
    timestamps: isTrue(query.get('timestamps')),
    sinceSeconds: numberOf(query, 'sinceSeconds'),
    sinceTime: query.get('sinceTime') ?? undefined,
    tailLines: numberOf(query, 'tailLines'),
    limitBytes: numberOf(query, 'limitBytes'),
  };
}

function numberOf(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null || text === '') return undefined;
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw badRequest(`${name}: Invalid value: ${JSON.stringify(text)}: must be a whole number from 0`);
}
