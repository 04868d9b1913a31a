import { StatusError } from '#base/errors.ts';
import { removeNetns } from '#sys/netns.ts';

import { checkRequest } from './check-request.ts';
import { forgetDatagramFlows } from './datagram-flows.ts';
import { namesOf } from './endpoint-plan.ts';
import { changeEndpoints } from './live-change.ts';
import type { LiveSandbox } from './live-sandbox.ts';
import type { NetworkContext } from './network-context.ts';
import { hasNames } from './network-definition.ts';
import type { Endpoint, EndpointRequest, OnSandboxFiles, PortRequest, Sandbox, SandboxRequest } from './networks.ts';
import { changePorts, movePorts } from './port-change.ts';
import { reviveSandbox, sweepLeftovers } from './reconcile.ts';
import {
  attach,
  detach,
  filesFor,
  forget,
  planNextEndpoint,
  remember,
  setUpSandbox,
  silence,
} from './sandbox-setup.ts';
import type { SandboxRecord } from './sandbox-record.ts';

/**
 * The network namespaces of containers. Every change is synchronous: it happens wholly before anything else does, so
 * there are no locks and no half-made states to be seen.
 */
export class Sandboxes implements Disposable {
  readonly #context: NetworkContext;
  readonly #live = new Map<string, LiveSandbox>();
  readonly #listeners = new Set<OnSandboxFiles>();

  constructor(context: NetworkContext) {
    this.#context = context;
  }

  open(request: SandboxRequest): Sandbox {
    checkRequest(request, this.#context.state);
    this.close(request.containerId);
    if (request.mode === 'host' || request.mode === 'container') return this.#openShared(request);
    const { sandbox, live } = setUpSandbox(this.#context, request);
    this.#live.set(request.containerId, live);
    forgetDatagramFlows({ request, sandbox });
    this.#tellLinked(request.containerId);
    for (const endpoint of sandbox.endpoints) this.#publish('connect', endpoint);
    return sandbox;
  }

  close(containerId: string): void {
    const record = this.#context.state.records.get(containerId);
    if (record === undefined) return;
    using steps = new DisposableStack();
    // Each step runs even when another fails; the last one written here comes first.
    if (!isShared(record)) {
      const { netnsPath, endpoints } = record.sandbox;
      if (netnsPath !== undefined) steps.defer(() => removeNetns(netnsPath));
      for (const endpoint of endpoints) steps.defer(() => silence(this.#context, record, endpoint));
      steps.defer(() => forgetDatagramFlows(record));
    }
    steps.defer(() => forget(this.#context, record));
    steps.defer(() => this.#live.get(containerId)?.[Symbol.dispose]());
    steps.dispose();
    this.#live.delete(containerId);
    for (const endpoint of record.sandbox.endpoints) this.#publish('disconnect', endpoint);
  }

  connect(containerId: string, wanted: EndpointRequest): Endpoint {
    const { record, live } = this.#changeable(containerId);
    const network = this.#context.state.get(wanted.network);
    const others = record.sandbox.endpoints;
    if (others.some(({ networkId }) => networkId === network.id)) {
      const message = `endpoint with name ${record.request.containerName} already exists in network ${network.name}`;
      throw new StatusError('Forbidden', message);
    }
    const endpoint = planNextEndpoint(this.#context, record.request, wanted, others);
    attach(this.#context, record, endpoint);
    try {
      this.#follow(changeEndpoints(this.#context, live, record, [...others, endpoint]));
    } catch (error) {
      remember(this.#context, record);
      detach(this.#context, record, endpoint);
      throw error;
    }
    this.#publish('connect', endpoint);
    return endpoint;
  }

  disconnect(containerId: string, networkName: string): void {
    const { record, live } = this.#changeable(containerId);
    const network = this.#context.state.get(networkName);
    const endpoint = record.sandbox.endpoints.find(({ networkId }) => networkId === network.id);
    if (endpoint === undefined) {
      const message = `container ${containerId} is not connected to network ${network.name}`;
      throw new StatusError('Forbidden', message);
    }
    const rest = record.sandbox.endpoints.filter((other) => other !== endpoint);
    this.#follow(changeEndpoints(this.#context, live, record, rest));
    detach(this.#context, record, endpoint);
    this.#publish('disconnect', endpoint);
  }

  rename(containerId: string, containerName: string): void {
    const record = this.#context.state.records.get(containerId);
    if (record === undefined) return;
    this.#name(record, containerName);
  }

  changePorts(containerId: string, ports: readonly PortRequest[]): void {
    const { record, live } = this.#changeable(containerId);
    changePorts(this.#context, live, record, ports);
  }

  takeOver(oldId: string, oldName: string, request: SandboxRequest): void {
    const { containerId } = request;
    const isThere = this.#context.state.records.has(oldId);
    if (isThere) movePorts(this.#context, this.#changeable(oldId), this.#changeable(containerId));
    this.#name(this.#changeable(containerId).record, request.containerName, request.endpoints);
    if (isThere) this.#name(this.#changeable(oldId).record, oldName, []);
    this.changePorts(containerId, request.ports);
  }

  /** `wanted` says which aliases it has from now on; undefined: the same. */
  #name(record: SandboxRecord, containerName: string, wanted?: readonly EndpointRequest[]): void {
    const { state } = this.#context;
    const request = { ...record.request, containerName };
    const aliasesOn = (networkId: string): readonly string[] =>
      wanted?.find(({ network }) => state.find(network)?.id === networkId)?.aliases ?? [];
    const endpoints = record.sandbox.endpoints.map((endpoint): Endpoint => {
      const network = state.definitions.get(endpoint.networkId);
      const aliases = wanted === undefined ? endpoint.aliases : aliasesOn(endpoint.networkId);
      const dnsNames = network !== undefined && hasNames(network) ? namesOf(request, aliases) : [];
      return { ...endpoint, containerName, aliases, dnsNames };
    });
    remember(this.#context, { request, sandbox: { ...record.sandbox, endpoints } });
  }

  onFiles(listener: OnSandboxFiles): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => this.#listeners.delete(listener) };
  }

  reconcile(running: ReadonlySet<string>): void {
    for (const record of this.#context.state.records.values()) {
      const { containerId } = record.sandbox;
      try {
        if (!running.has(containerId)) this.close(containerId);
        else if (!isShared(record)) this.#revive(record);
      } catch (error) {
        // One container in a state that nobody foresaw must not keep the others from being served.
        this.#context.logger.error('cannot reconcile the network of a container', { containerId, error });
      }
    }
    sweepLeftovers(this.#context);
    this.#context.firewall.rebuild();
  }

  [Symbol.dispose](): void {
    for (const live of this.#live.values()) live[Symbol.dispose]();
    this.#live.clear();
  }

  #revive(record: SandboxRecord): void {
    const { containerId } = record.sandbox;
    this.#live.get(containerId)?.[Symbol.dispose]();
    this.#live.set(containerId, reviveSandbox(this.#context, record));
  }

  #openShared(request: SandboxRequest): Sandbox {
    const { containerId } = request;
    const other = request.mode === 'container' ? this.#joined(request.shareWith ?? '') : undefined;
    const sandbox: Sandbox = {
      containerId,
      netnsPath: other?.netnsPath,
      endpoints: [],
      ports: [],
      files: other?.files ?? filesFor(this.#context, request, []),
    };
    remember(this.#context, { request, sandbox });
    return sandbox;
  }

  #joined(containerId: string): Sandbox {
    const record = this.#context.state.records.get(containerId);
    if (record === undefined) {
      throw new StatusError('Conflict', `cannot join network of a non running container: ${containerId}`);
    }
    return record.sandbox;
  }

  /** Docker's words for what cannot be on further networks. */
  #changeable(containerId: string): { readonly record: SandboxRecord; readonly live: LiveSandbox } {
    const record = this.#context.state.records.get(containerId);
    const live = this.#live.get(containerId);
    if (record === undefined) throw new StatusError('Conflict', `container ${containerId} is not running`);
    if (isShared(record)) {
      const message =
        'container sharing network namespace with another container or host cannot be connected to any other network';
      throw new StatusError('Forbidden', message);
    }
    if (record.request.mode === 'none') {
      const message =
        'container cannot be connected to multiple networks with one of the networks in private (none) mode';
      throw new StatusError('Forbidden', message);
    }
    if (live === undefined) throw new Error(`sandbox ${containerId} was not reconciled`);
    return { record, live };
  }

  /** Tells of new files: the container's own, and those of containers that share its namespace. */
  #follow({ sandbox: { containerId, files } }: SandboxRecord): void {
    const sharing = [...this.#context.state.records.values()].filter(
      ({ request }) => request.shareWith === containerId,
    );
    for (const { request, sandbox } of sharing) remember(this.#context, { request, sandbox: { ...sandbox, files } });
    for (const id of [containerId, ...sharing.map(({ sandbox }) => sandbox.containerId)]) {
      for (const listener of this.#listeners) listener(id, files);
    }
  }

  /** Those that are linked to a container hear of its new address. */
  #tellLinked(containerId: string): void {
    for (const record of this.#context.state.records.values()) {
      const { request, sandbox } = record;
      if (request.linked?.some((one) => one.containerId === containerId) !== true) continue;
      const files = filesFor(this.#context, request, sandbox.endpoints);
      remember(this.#context, { request, sandbox: { ...sandbox, files } });
      this.#follow({ request, sandbox: { ...sandbox, files } });
    }
  }

  #publish(action: 'connect' | 'disconnect', { networkId, networkName, containerId }: Endpoint): void {
    const type = this.#context.state.definitions.get(networkId)?.driver ?? 'bridge';
    const attributes = { container: containerId, name: networkName, type };
    this.#context.events.publish('network', action, networkId, attributes);
  }
}

/** Whether its namespace belongs to somebody else. */
function isShared({ request }: SandboxRecord): boolean {
  return request.mode === 'host' || request.mode === 'container';
}
