import { StatusError } from '#base/errors.ts';
import { newId } from '#base/ids.ts';
import type { Network, Networks, NewNetwork } from '#engine/network/networks.ts';

/** Definitions of networks, without anything behind them. */
export class FakeNetworks implements Networks {
  readonly #networks = new Map<string, Network>();
  readonly calls: string[] = [];
  readonly check = absent;
  readonly open = absent;
  readonly close = absent;
  readonly sandbox = absent;
  readonly connect = absent;
  readonly disconnect = absent;
  readonly rename = absent;
  readonly changePorts = absent;
  readonly takeOver = absent;
  readonly inboundConnections = absent;
  readonly onFiles = absent;
  readonly reconcile = absent;

  constructor() {
    for (const driver of ['bridge', 'host', 'none'] as const) {
      this.#add({ name: driver, subnets: driver === 'bridge' ? [{ subnet: '10.9.0.0/24' }] : [] }, driver);
    }
  }

  get(name: string): Network {
    const network = this.find(name);
    if (network === undefined) throw new StatusError('NotFound', `network ${name} not found`);
    return network;
  }

  find(name: string): Network | undefined {
    return this.list().find((network) => network.name === name || network.id.startsWith(name));
  }

  list(): readonly Network[] {
    return [...this.#networks.values()];
  }

  async create(request: NewNetwork): Promise<Network> {
    this.calls.push(`create ${JSON.stringify(request)}`);
    if (this.find(request.name) !== undefined) {
      throw new StatusError('Conflict', `network with name ${request.name} already exists`);
    }
    return this.#add(request, 'bridge');
  }

  /** Changes a network as the engine would not, for tests of what is shown. */
  patch(name: string, change: Partial<Network>): void {
    const network = this.get(name);
    this.#networks.set(network.id, { ...network, ...change });
  }

  async remove(name: string): Promise<void> {
    this.#networks.delete(this.get(name).id);
  }

  async prune(inUse: ReadonlySet<string>): Promise<readonly string[]> {
    const gone = this.list().filter(({ id, name }) => !['bridge', 'host', 'none'].includes(name) && !inUse.has(id));
    for (const { id } of gone) this.#networks.delete(id);
    return gone.map(({ name }) => name);
  }

  #add(request: NewNetwork, driver: Network['driver']): Network {
    const network: Network = {
      id: newId(),
      name: request.name,
      driver,
      createdAtMs: 1_700_000_000_000,
      subnets: (request.subnets ?? []).map(({ subnet = '10.8.0.0/24', gateway = '10.8.0.1', ...rest }) => ({
        subnet,
        gateway,
        ...rest,
      })),
      internal: request.internal ?? false,
      enableIPv6: request.enableIPv6 ?? false,
      labels: request.labels ?? {},
      options: request.options ?? {},
      bridgeName: '',
      endpoints: [],
    };
    this.#networks.set(network.id, network);
    return network;
  }
}

function absent(): never {
  throw new Error('the fake networks only know definitions');
}
