import { nowMs as now } from '#base/clock.ts';
import type { Logger } from '#base/logger.ts';
import type { KindDef } from '#kube/kind.ts';
import type { Store } from '#store/store.ts';

import { admissionChain, type AdmissionPlugin } from './admission/admission.ts';
import type { ResolveKind } from './admission/policies/policy-params.ts';
import { callWebhook, type CallWebhook } from './admission/webhooks/call-webhook.ts';
import type { AuditLog } from './audit/audit-log.ts';
import type { Objects } from './auth/objects.ts';
import type { Auth } from './auth/open-auth.ts';
import { keepApiEndpoints, type ApiAddress } from './bootstrap/api-endpoints.ts';
import { createKubernetesService } from './bootstrap/kubernetes-service.ts';
import { createSystemNamespaces } from './bootstrap/system-namespaces.ts';
import { serveCustomResources } from './custom/custom-resources.ts';
import { Discovery } from './discovery/discovery.ts';
import { OpenApi } from './discovery/openapi.ts';
import { FlowControl } from './flowcontrol/flow-control.ts';
import type { ApiContext } from './handlers/context.ts';
import type { NodeAgent } from './handlers/node-agent.ts';
import { respondToPath, type PathContext } from './handlers/paths.ts';
import { respondToResource } from './handlers/respond.ts';
import type { Exchange } from './http/exchange.ts';
import { LiveRequests } from './http/live-requests.ts';
import { RequestMetrics } from './http/metrics.ts';
import { GarbageCollector } from './gc/garbage-collector.ts';
import { NamespaceCleaner } from './gc/namespace-cleaner.ts';
import { serveRequest, type Serving } from './http/serve-request.ts';
import { ResourceTable } from './resources/resource-table.ts';
import { apiObjects } from './storage/api-objects.ts';
import { ChangeHub } from './storage/change-hub.ts';
import { serviceAddresses } from './services/service-addresses.ts';
import { fieldOwners } from './writes/field-owners.ts';

/** What decides who may do what, and how writes are changed and refused. */
export interface ApiParts {
  readonly auth: Pick<Auth, 'identify' | 'authorizer' | 'review' | 'createToken' | 'document'>;
  /** Links of the chain of admission, in their order. */
  readonly plugins: readonly AdmissionPlugin[];
  /** Undefined: by the default objects, whatever the stored ones say. */
  readonly flowControl?: FlowControl;
}

export interface ApiOptions {
  readonly store: Store;
  /** No other server writes to the store: reads need not ask it what is the latest. */
  readonly isExclusive: boolean;
  readonly kinds: readonly KindDef[];
  /** How long events are kept; an hour when left out, as upstream does. */
  readonly eventTtlSeconds?: number;
  readonly agent: NodeAgent | undefined;
  readonly logger: Logger;
  /** Undefined: requests are not noted. */
  readonly audit?: AuditLog;
  readonly nowMs?: () => number;
  /** In place of calls over the network. */
  readonly callWebhook?: CallWebhook;
  /** IP address and port that clients are told by discovery and the endpoints of the service `kubernetes`. */
  readonly serverAddress: () => string;
  /** Called once, when the objects can be read. */
  readonly openParts: (objects: Objects, resolveKind: ResolveKind, signal: AbortSignal) => Promise<ApiParts>;
}

/** A Kubernetes API without sockets. */
export interface Api extends AsyncDisposable {
  readonly objects: Objects;
  readonly resources: ResourceTable;
  /** Answers one request; never rejects. */
  serve(exchange: Exchange): Promise<void>;
}

/** Makes a Kubernetes API out of a store and kinds. */
export async function openApi(options: ApiOptions, signal: AbortSignal): Promise<Api> {
  const { store, logger, nowMs = now, eventTtlSeconds = 3600 } = options;
  await using opened = new AsyncDisposableStack();
  const hub = opened.use(new ChangeHub(store, logger, options.isExclusive));
  await hub.start(signal);
  const resources = new ResourceTable(hub, options.kinds, { eventTtlSeconds });
  const objects = apiObjects(resources, nowMs, logger);
  await createSystemNamespaces(objects, signal);
  const address = apiAddressOf(options.serverAddress());
  await createKubernetesService(objects, address.port, signal);
  const endpoints = { objects, store, isExclusive: options.isExclusive, address, logger };
  opened.use(await keepApiEndpoints(endpoints, signal));
  const parts = await options.openParts(objects, resolving(resources), signal);
  const { auth, plugins } = parts;
  const admission = admissionChain([...plugins, serviceAddresses(objects)]);
  const closing = new AbortController();
  const metrics = new RequestMetrics();
  const { flowControl = new FlowControl() } = parts;
  const context: ApiContext = {
    auth,
    admission,
    resources,
    fields: fieldOwners(resources, nowMs),
    agent: options.agent,
    logger,
    nowMs,
  };
  const background = { context, resources, logger };
  const collector = opened.use(new GarbageCollector(background));
  const cleaner = opened.use(new NamespaceCleaner(background));
  await Promise.all([collector.start(), cleaner.start()]);
  const custom = serveCustomResources(
    { objects, resources, nowMs, logger, callWebhook: options.callWebhook ?? callWebhook },
    closing.signal,
  );
  opened.defer(() => custom);
  opened.defer(() => closing.abort(new Error('the API server ends')));
  const paths: PathContext = {
    auth,
    openApi: new OpenApi(resources),
    discovery: new Discovery(resources, options.serverAddress),
    checks: [{ name: 'store', check: async (until) => void (await store.revision(until)) }],
    metrics: () =>
      metrics.reply(
        {
          apiserver_current_inflight_requests: flowControl.running,
          slipway_apiserver_store_revision: Number(hub.revision),
        },
        flowControl.metrics(),
      ),
  };
  const respond: Serving['respond'] = async (call, until) => {
    const { info } = call;
    return info.type === 'resource'
      ? respondToResource(context, { ...call, info }, until)
      : respondToPath(paths, call, until);
  };
  const certificates = new WeakMap<object, Uint8Array>();
  const serving = {
    certificates,
    auth,
    flowControl,
    metrics,
    logger,
    audit: options.audit,
    live: opened.use(new LiveRequests()),
    respond,
  };
  const kept = opened.move();
  return {
    objects,
    resources,
    serve: async (exchange) => await serveRequest(serving, exchange),
    [Symbol.asyncDispose]: async () => await kept.disposeAsync(),
  };
}

/** Of `10.0.0.1:6443` or `[::1]:6443`. */
function apiAddressOf(text: string): ApiAddress {
  const at = text.lastIndexOf(':');
  return { ip: text.slice(0, at).replaceAll(/[[\]]/g, ''), port: Number(text.slice(at + 1)) };
}

/** Kinds as resources, those of definitions as well. */
function resolving(resources: ResourceTable): ResolveKind {
  return (apiVersion, kind) => {
    const [version = '', group = ''] = apiVersion.split('/').toReversed();
    const found = resources.findKind(group, version, kind);
    if (found === undefined) return undefined;
    return { group, resource: found.def.plural, isNamespaced: found.def.scope === 'Namespaced' };
  };
}
