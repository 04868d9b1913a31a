import { StatusError } from '#base/errors.ts';

import { ensureBridge, removeBridge } from './bridge.ts';
import { checkRequest } from './check-request.ts';
import { checkParentLink } from './parent-link.ts';
import { defineNetwork } from './define-network.ts';
import type { DefinitionStore } from './definition-store.ts';
import { enableIpv6Forwarding, hostSubnets } from './host-network.ts';
import { isParentDriver } from './macvlan-options.ts';
import type { NetworkContext } from './network-context.ts';
import { countInbound } from './count-inbound.ts';
import { isPredefined, type NetworkDefinition } from './network-definition.ts';
import type {
  Endpoint,
  EndpointRequest,
  Network,
  Networks,
  NewNetwork,
  OnSandboxFiles,
  PortRequest,
  Sandbox,
  SandboxRequest,
} from './networks.ts';
import { networkElements } from './ruleset.ts';
import { Sandboxes } from './sandboxes.ts';
import { type AddressPool, ownPrefixes } from './subnet-plan.ts';

export interface BridgeNetworksParts {
  readonly context: NetworkContext;
  readonly definitions: DefinitionStore;
  readonly pools: readonly AddressPool[];
  /** Written onto bridges. */
  readonly owner: string;
  /** Disposed with the networks. */
  readonly owned: AsyncDisposableStack;
}

/** Networks on bridges of this machine. */
export class BridgeNetworks implements Networks, AsyncDisposable {
  readonly #parts: BridgeNetworksParts;
  readonly #context: NetworkContext;
  readonly #sandboxes: Sandboxes;
  /** Definitions that are being written to disk, whose names and subnets are taken already. */
  readonly #coming = new Set<NetworkDefinition>();

  constructor(parts: BridgeNetworksParts) {
    this.#parts = parts;
    this.#context = parts.context;
    this.#sandboxes = parts.owned.use(new Sandboxes(parts.context));
  }

  get(name: string): Network {
    return this.#context.state.asNetwork(this.#context.state.get(name));
  }

  find(name: string): Network | undefined {
    const found = this.#context.state.find(name);
    return found === undefined ? undefined : this.#context.state.asNetwork(found);
  }

  list(): readonly Network[] {
    return Array.from(this.#context.state.definitions.values(), (network) => this.#context.state.asNetwork(network));
  }

  async create(wanted: NewNetwork, signal: AbortSignal): Promise<Network> {
    signal.throwIfAborted();
    const { state, socket } = this.#context;
    const existing = [...state.definitions.values(), ...this.#coming];
    const bridges = new Set(existing.map(({ bridgeName }) => bridgeName));
    const taken = { own: ownPrefixes(existing), host: hostSubnets(socket, bridges) };
    const network = defineNetwork(wanted, existing, this.#parts.pools, taken);
    this.#coming.add(network);
    try {
      await this.#parts.definitions.save(network);
      this.#bringUp(network);
    } catch (error) {
      await this.#parts.definitions.remove(network.id);
      throw error;
    } finally {
      this.#coming.delete(network);
    }
    this.#publish('create', network);
    return state.asNetwork(network);
  }

  async remove(name: string, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    await this.#remove(this.get(name));
  }

  async prune(inUse: ReadonlySet<string>, signal: AbortSignal): Promise<readonly string[]> {
    const removed: string[] = [];
    for (const { id, name } of this.list()) {
      signal.throwIfAborted();
      const network = this.find(id);
      if (network === undefined || isPredefined(network) || network.endpoints.length > 0 || inUse.has(id)) continue;
      await this.#remove(network);
      removed.push(name);
    }
    return removed;
  }

  check(request: SandboxRequest): void {
    checkRequest(request, this.#context.state);
  }

  async open(request: SandboxRequest, signal: AbortSignal): Promise<Sandbox> {
    signal.throwIfAborted();
    return this.#sandboxes.open(request);
  }

  async close(containerId: string): Promise<void> {
    this.#sandboxes.close(containerId);
  }

  sandbox(containerId: string): Sandbox | undefined {
    return this.#context.state.records.get(containerId)?.sandbox;
  }

  async connect(containerId: string, endpoint: EndpointRequest, signal: AbortSignal): Promise<Endpoint> {
    signal.throwIfAborted();
    return this.#sandboxes.connect(containerId, endpoint);
  }

  async disconnect(containerId: string, network: string, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.#sandboxes.disconnect(containerId, network);
  }

  async rename(containerId: string, name: string): Promise<void> {
    this.#sandboxes.rename(containerId, name);
  }

  async changePorts(containerId: string, ports: readonly PortRequest[]): Promise<void> {
    this.#sandboxes.changePorts(containerId, ports);
  }

  async takeOver(oldId: string, oldName: string, request: SandboxRequest): Promise<void> {
    this.#sandboxes.takeOver(oldId, oldName, request);
  }

  inboundConnections(containerId: string): number {
    const record = this.#context.state.records.get(containerId);
    return record === undefined ? 0 : countInbound(record);
  }

  onFiles(listener: OnSandboxFiles): Disposable {
    return this.#sandboxes.onFiles(listener);
  }

  async reconcile(running: ReadonlySet<string>, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.#sandboxes.reconcile(running);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#parts.owned.disposeAsync();
  }

  /** Synchronous: others see the network with all that belongs to it, or not at all. */
  #bringUp(network: NetworkDefinition): void {
    const { state, socket, firewall, hostMtu } = this.#context;
    using undo = new DisposableStack();
    if (isParentDriver(network.driver)) checkParentLink(socket, network);
    else ensureBridge(socket, network, hostMtu, this.#parts.owner);
    undo.defer(() => removeBridge(socket, network.bridgeName));
    if (network.enableIPv6) enableIpv6Forwarding(socket);
    state.definitions.set(network.id, network);
    undo.defer(() => state.definitions.delete(network.id));
    firewall.add(networkElements(network));
    undo.move();
    firewall.updateHost();
  }

  async #remove(network: Network): Promise<void> {
    if (isPredefined(network)) {
      const message = `${network.name} is a pre-defined network and cannot be removed`;
      throw new StatusError('Forbidden', message);
    }
    if (network.endpoints.length > 0) {
      const users = network.endpoints.map((one) => `name:"${one.containerName}" id:"${one.endpointId.slice(0, 12)}"`);
      const message = `error while removing network: network ${network.name} has active endpoints (${users.join(', ')})`;
      throw new StatusError('Forbidden', message);
    }
    const { state, socket, firewall } = this.#context;
    state.definitions.delete(network.id);
    firewall.remove(networkElements(network));
    firewall.updateHost();
    removeBridge(socket, network.bridgeName);
    // A crash before this brings the network back whole: it was not acknowledged.
    await this.#parts.definitions.remove(network.id);
    this.#publish('destroy', network);
  }

  #publish(action: 'create' | 'destroy', { id, name, driver }: NetworkDefinition): void {
    this.#context.events.publish('network', action, id, { name, type: driver });
  }
}
