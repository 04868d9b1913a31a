import { join } from 'node:path';

import { StatusError } from '#base/errors.ts';
import { removeNetns } from '#sys/netns.ts';

import { parseBridgeOptions } from './bridge-options.ts';
import { attachEndpoint, detachEndpoint, makeNamespace, setDefaultRoutes, silenceEndpoint } from './container-link.ts';
import { NameServer } from './dns/name-server.ts';
import type { Upstream } from './dns/forwarder.ts';
import { parseEndpointOptions } from './endpoint-options.ts';
import { chooseInterfaceName, gatewaysOf, planEndpoint } from './endpoint-plan.ts';
import { LiveSandbox } from './live-sandbox.ts';
import { isParentDriver } from './macvlan-options.ts';
import type { NetworkContext } from './network-context.ts';
import { hasNames } from './network-definition.ts';
import type { NetworkState } from './network-state.ts';
import type { Endpoint, EndpointRequest, PortRequest, Sandbox, SandboxRequest } from './networks.ts';
import { addParentEndpoint, parentOf, removeParentEndpoint } from './parent-link.ts';
import { heldNowhere, type PortHolder } from './ports/port-holder.ts';
import { placesOf, portElements, type PublishTarget, publishTarget, relayAddress } from './publication.ts';
import type { RulesetElement } from './ruleset.ts';
import { needsForwarder, sandboxFiles, type SandboxFiles } from './sandbox-files.ts';
import type { SandboxRecord } from './sandbox-record.ts';

/**
 * Makes a container's namespace with all that belongs to it; when one step fails, those before it are undone. Nothing in
 * here waits, so no other request sees a half-made sandbox. The record is written first: what a killed daemon leaves
 * behind is found by it.
 */
export function setUpSandbox(
  context: NetworkContext,
  request: SandboxRequest,
): { readonly sandbox: Sandbox; readonly live: LiveSandbox } {
  using undo = new DisposableStack();
  const { containerId } = request;
  const netnsPath = join(context.netnsFolder, containerId);
  const endpoints = planEndpoints(context, request);
  const holders = holdPorts(context, request, endpoints);
  for (const holder of holders) undo.use(holder);
  const ports = holders.map(({ port }) => port);
  const files = filesFor(context, request, endpoints);
  const record: SandboxRecord = { request, sandbox: { containerId, netnsPath, endpoints, ports, files } };

  undo.defer(() => forget(context, record));
  remember(context, record);
  undo.defer(() => removeNetns(netnsPath));
  removeNetns(netnsPath);
  makeNamespace(netnsPath, request.namespace);
  for (const endpoint of endpoints) {
    undo.defer(() => detach(context, record, endpoint));
    attach(context, record, endpoint);
  }
  setDefaultRoutes(netnsPath, gatewaysOf(endpoints), { ipv4: undefined, ipv6: undefined });
  context.firewall.add(publishedElements(context.state, record));
  const live = undo.use(makeLive(context, containerId));
  if (wantsNameServer(context, record)) live.serveNames(makeNameServer(context, record.sandbox, false));
  undo.move();
  live.hold(holders);
  return { sandbox: record.sandbox, live };
}

/** Writes a record down and has the rest of the room see it. */
export function remember(context: NetworkContext, record: SandboxRecord): void {
  context.records.save(record);
  context.state.set(record);
}

/** Takes a container's ports out of the table and its record away. */
export function forget(context: NetworkContext, record: SandboxRecord): void {
  context.state.delete(record.sandbox.containerId);
  context.firewall.remove(publishedElements(context.state, record));
  context.records.remove(record.sandbox.containerId);
}

export function publishedElements(state: NetworkState, { sandbox }: SandboxRecord): readonly RulesetElement[] {
  const target = publishTarget(sandbox.endpoints, (id) => state.definitions.get(id));
  return sandbox.ports.flatMap((port) => portElements(port, target));
}

/** Plans a further endpoint of a container that has `others`. */
export function planNextEndpoint(
  context: NetworkContext,
  request: SandboxRequest,
  wanted: EndpointRequest,
  others: readonly Endpoint[],
): Endpoint {
  const network = context.state.get(wanted.network);
  const used = context.state.usedAddresses(network.id);
  const { interfaceName } = parseEndpointOptions(wanted.driverOptions ?? {});
  const prefix = network.driver === 'bridge' ? parseBridgeOptions(network.options).interfacePrefix : 'eth';
  return planEndpoint(network, wanted, request, chooseInterfaceName(others, interfaceName, prefix), used);
}

/** Holds all ports of a request or none. */
export function holdPorts(
  context: NetworkContext,
  request: SandboxRequest,
  endpoints: readonly Endpoint[],
): readonly PortHolder[] {
  using held = new DisposableStack();
  const target = targetOf(context, endpoints);
  const owner = {
    containerName: request.containerName,
    endpointId: (target.ipv4 ?? target.ipv6)?.endpointId ?? '',
    address: relayAddress(target) ?? '',
  };
  const holders = request.ports.flatMap((port) => {
    if (port.protocol === 'sctp' && context.respectHostFirewall) throw unrelayed(port);
    const places = placesOf(port, target, context.publishAddress);
    const own = context.ports.hold(port, places.held, owner).map((holder) => held.use(holder));
    return [...own, ...places.direct.map(heldNowhere)];
  });
  held.move();
  return holders;
}

/** Where each port of a request is published. */
export function portPlaces(
  context: NetworkContext,
  request: SandboxRequest,
  endpoints: readonly Endpoint[],
): readonly ReturnType<typeof placesOf>[] {
  const target = targetOf(context, endpoints);
  return request.ports.map((port) => placesOf(port, target, context.publishAddress));
}

function unrelayed({ containerPort }: PortRequest): StatusError {
  const message = `Cannot publish port ${String(containerPort)}/sctp: SCTP is not relayed, and engine.respectHostFirewall has all ports relayed; use tcp or udp, or switch it off`;
  return new StatusError('NotSupported', message);
}

function targetOf({ state }: NetworkContext, endpoints: readonly Endpoint[]): PublishTarget {
  return publishTarget(endpoints, (id) => state.definitions.get(id));
}

export function attach(context: NetworkContext, record: SandboxRecord, endpoint: Endpoint): void {
  const network = context.state.get(endpoint.networkId);
  const { netnsPath = '', endpoints, ports } = record.sandbox;
  const parent = parentOf(network);
  if (parent !== undefined) {
    addParentEndpoint(context.socket, netnsPath, endpoint, parent);
    return;
  }
  const options = parseBridgeOptions(network.options);
  const gateways = gatewaysOf(endpoints);
  attachEndpoint(context.socket, netnsPath, endpoint, {
    bridgeName: network.bridgeName,
    mtu: options.mtu ?? context.hostMtu,
    isolated: !options.icc,
    hairpin: ports.length > 0 && (gateways.ipv4 === endpoint || gateways.ipv6 === endpoint),
  });
}

/** Takes an endpoint's interface away (idempotent). */
export function detach({ state, socket }: NetworkContext, { sandbox }: SandboxRecord, endpoint: Endpoint): void {
  if (hasParent(state, endpoint)) removeParentEndpoint(sandbox.netnsPath ?? '', endpoint);
  else detachEndpoint(socket, endpoint);
}

/** The same for a namespace that is about to go. */
export function silence({ state, socket }: NetworkContext, { sandbox }: SandboxRecord, endpoint: Endpoint): void {
  if (hasParent(state, endpoint)) removeParentEndpoint(sandbox.netnsPath ?? '', endpoint);
  else silenceEndpoint(socket, endpoint);
}

function hasParent(state: NetworkState, { networkId }: Endpoint): boolean {
  return isParentDriver(state.definitions.get(networkId)?.driver ?? '');
}

export function makeLive(context: NetworkContext, containerId: string): LiveSandbox {
  return new LiveSandbox(() => {
    const record = context.state.records.get(containerId);
    return record === undefined ? undefined : relayAddress(targetOf(context, record.sandbox.endpoints));
  });
}

/** Containers on networks with names have one, and those that could not reach the host's servers otherwise. */
export function wantsNameServer(context: NetworkContext, { request, sandbox }: SandboxRecord): boolean {
  return isNamed(context, sandbox.endpoints) || needsForwarder(request, context.etc.containerDns());
}

/** `replaces`: there was one in an earlier process. */
export function makeNameServer(
  context: NetworkContext,
  { containerId, netnsPath = '' }: Sandbox,
  replaces: boolean,
): NameServer {
  return new NameServer({
    netnsPath,
    replaces,
    table: context.nameTable,
    forwarder: context.forwarder,
    zone: context.state.zoneFor(containerId),
    upstream: () => upstreamOf(context, containerId, netnsPath),
  });
}

export function filesFor(
  context: NetworkContext,
  request: SandboxRequest,
  endpoints: readonly Endpoint[],
): SandboxFiles {
  const bridge = context.state.find('bridge');
  return sandboxFiles(request, endpoints, isNamed(context, endpoints), {
    dns: request.mode === 'host' ? context.etc.dns() : context.etc.containerDns(),
    hosts: context.etc.hosts(),
    gateways: bridge?.subnets.map(({ gateway }) => gateway) ?? [],
    linked: (request.linked ?? []).flatMap(({ containerId, names }) =>
      context.state.defaultAddresses(containerId).map((address) => ({ address, names })),
    ),
  });
}

function planEndpoints(context: NetworkContext, request: SandboxRequest): readonly Endpoint[] {
  const endpoints: Endpoint[] = [];
  if (request.mode !== 'networks') return endpoints;
  for (const wanted of request.endpoints) endpoints.push(planNextEndpoint(context, request, wanted, endpoints));
  return endpoints;
}

function isNamed({ state }: NetworkContext, endpoints: readonly Endpoint[]): boolean {
  return endpoints.some(({ networkId }) => {
    const network = state.definitions.get(networkId);
    return network !== undefined && hasNames(network);
  });
}

/**
 * Servers that the user named for the container are meant as seen from the container, and asked from its namespace. The
 * host's own are asked from the host, which reaches them by definition: also those on its loopback, and when the
 * container's address could not be answered. A container without a way out gets no names from outside either.
 */
function upstreamOf({ state, etc }: NetworkContext, containerId: string, netnsPath: string): Upstream | undefined {
  const record = state.records.get(containerId);
  const gateways = gatewaysOf(record?.sandbox.endpoints ?? []);
  if (record === undefined || (gateways.ipv4 ?? gateways.ipv6) === undefined) return undefined;
  const { servers } = record.request.dns;
  if (servers.length > 0) return { servers, netnsPath };
  return { servers: etc.dns().servers, netnsPath: undefined };
}
