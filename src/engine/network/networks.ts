export type NetworkDriver = 'bridge' | 'macvlan' | 'ipvlan' | 'host' | 'none';
export type Protocol = 'tcp' | 'udp' | 'sctp';

/** An address pool of a network (Docker's IPAM config); addresses as text, subnets as `a.b.c.d/len`. */
export interface Subnet {
  readonly subnet: string;
  readonly gateway: string;
  readonly ipRange?: string;
  readonly auxAddresses?: Readonly<Record<string, string>>;
}

export interface Network {
  /** 64 hexadecimal digits. */
  readonly id: string;
  readonly name: string;
  readonly driver: NetworkDriver;
  readonly createdAtMs: number;
  readonly subnets: readonly Subnet[];
  readonly internal: boolean;
  readonly enableIPv6: boolean;
  readonly labels: Readonly<Record<string, string>>;
  /** Driver options as given, such as `com.docker.network.bridge.name`. */
  readonly options: Readonly<Record<string, string>>;
  /** What a user said; it has a meaning on networks of a swarm only, and is shown. */
  readonly attachable?: boolean;
  /** Interface on the host that it is made of; '' for all but bridges. */
  readonly bridgeName: string;
  /** Running endpoints. */
  readonly endpoints: readonly Endpoint[];
}

export interface NewNetwork {
  readonly name: string;
  readonly driver?: string;
  readonly subnets?: readonly {
    readonly subnet?: string;
    readonly gateway?: string;
    readonly ipRange?: string;
    readonly auxAddresses?: Readonly<Record<string, string>>;
  }[];
  readonly internal?: boolean;
  readonly attachable?: boolean;
  /** True unless it says otherwise. */
  readonly enableIPv4?: boolean;
  readonly enableIPv6?: boolean;
  readonly labels?: Readonly<Record<string, string>>;
  readonly options?: Readonly<Record<string, string>>;
}

/** What a container wants on one network. */
export interface EndpointRequest {
  /** Name or ID. */
  readonly network: string;
  readonly ipv4Address?: string;
  readonly ipv6Address?: string;
  /** Further addresses of the interface, of 169.254.0.0/16 or fe80::/10. */
  readonly linkLocalAddresses?: readonly string[];
  readonly macAddress?: string;
  readonly aliases?: readonly string[];
  /** Names that only this container knows others of the network by. */
  readonly links?: readonly NameLink[];
  /** Driver options as given, such as `com.docker.network.endpoint.ifname`. */
  readonly driverOptions?: Readonly<Record<string, string>>;
  /** The network with the highest one has the default route; 0 when left away. */
  readonly gatewayPriority?: number;
}

/** Another container by name, and what it is called here. */
export interface NameLink {
  readonly name: string;
  readonly alias: string;
}

/** A container's interface on one network, as it is. */
export interface Endpoint {
  readonly endpointId: string;
  readonly containerId: string;
  readonly containerName: string;
  readonly networkId: string;
  readonly networkName: string;
  readonly interfaceName: string;
  readonly macAddress: string;
  readonly ipv4Address: string;
  readonly ipv4PrefixLength: number;
  readonly ipv4Gateway: string;
  readonly ipv6Address: string;
  readonly ipv6PrefixLength: number;
  readonly ipv6Gateway: string;
  readonly linkLocalAddresses: readonly string[];
  readonly gatewayPriority: number;
  readonly links: readonly NameLink[];
  readonly driverOptions: Readonly<Record<string, string>>;
  readonly aliases: readonly string[];
  /** All names that the embedded DNS answers for it on this network. */
  readonly dnsNames: readonly string[];
}

/** A wish to publish a port. `hostPort` 0: one is chosen from the ephemeral range (first + `hostPortEnd` for a range). */
export interface PortRequest {
  readonly containerPort: number;
  readonly protocol: Protocol;
  /** '' means all addresses, IPv4 and IPv6. */
  readonly hostIp: string;
  readonly hostPort: number;
  /** Last port of a range to choose from; equal to `hostPort` for a single one. */
  readonly hostPortEnd: number;
}

export interface PublishedPort {
  readonly containerPort: number;
  readonly protocol: Protocol;
  readonly hostIp: string;
  /** 0 when the port is reached at the container's own address only (gateway mode `routed`). */
  readonly hostPort: number;
}

export interface DnsSettings {
  readonly servers: readonly string[];
  readonly search: readonly string[];
  readonly options: readonly string[];
}

/** Everything the network needs to know of a container to give it a network namespace. */
export interface SandboxRequest {
  readonly containerId: string;
  readonly containerName: string;
  readonly hostname: string;
  readonly domainname: string;
  /**
   * `networks`: a namespace of its own on the named networks; `none`: a namespace with loopback only; `host`: the
   * host's; `container`: that of a running container (`containerId` of the other in `shareWith`).
   */
  readonly mode: 'networks' | 'none' | 'host' | 'container';
  readonly shareWith?: string;
  /** Path of a new network namespace to take, for one that belongs to another user namespace. */
  readonly namespace?: string;
  readonly endpoints: readonly EndpointRequest[];
  readonly ports: readonly PortRequest[];
  readonly dns: DnsSettings;
  /** `name:address`; the address `host-gateway` is replaced by the default bridge's gateway. */
  readonly extraHosts: readonly string[];
  /** Containers on the default bridge and what /etc/hosts is to call them. */
  readonly linked?: readonly { readonly containerId: string; readonly names: readonly string[] }[];
}

/** A container's network, ready to run in. */
export interface Sandbox {
  readonly containerId: string;
  /** Path of the pinned network namespace; undefined for the host's. */
  readonly netnsPath: string | undefined;
  readonly endpoints: readonly Endpoint[];
  readonly ports: readonly PublishedPort[];
  /** Contents for the container's /etc/hosts, /etc/resolv.conf and /etc/hostname. */
  readonly files: { readonly hosts: string; readonly resolvConf: string; readonly hostname: string };
}

/** Rewrites a running container's /etc/hosts and /etc/resolv.conf after a live connect or disconnect. */
export type OnSandboxFiles = (containerId: string, files: Sandbox['files']) => void;

/**
 * Networks of this machine and the namespaces of its containers. Definitions and sandboxes are durable: after a crash
 * `reconcile` brings kernel state, DNS servers and published ports back for the containers that still run and removes
 * what belongs to others. Kernel objects carry the instance's name so that several instances share a machine.
 */
export interface Networks {
  /** By name, ID or unique prefix. Throws NotFound `network <name> not found`. */
  get(name: string): Network;
  find(name: string): Network | undefined;
  list(): readonly Network[];
  /** Conflict for a taken name, Forbidden for an overlapping subnet, InvalidArgument for bad addresses or options. */
  create(network: NewNetwork, signal: AbortSignal): Promise<Network>;
  /** Forbidden while endpoints exist or for bridge, host and none. */
  remove(name: string, signal: AbortSignal): Promise<void>;
  /** Removes the user's networks without endpoints, except those that `inUse` names by ID. */
  prune(inUse: ReadonlySet<string>, signal: AbortSignal): Promise<readonly string[]>;

  /** Checks a request without doing anything: unknown network, address outside the subnet, port syntax. */
  check(request: SandboxRequest): void;
  /** Makes the namespace, interfaces, addresses, DNS and published ports; all or nothing. Busy for a taken port. */
  open(request: SandboxRequest, signal: AbortSignal): Promise<Sandbox>;
  /** Removes all of it (idempotent). */
  close(containerId: string): Promise<void>;
  sandbox(containerId: string): Sandbox | undefined;
  connect(containerId: string, endpoint: EndpointRequest, signal: AbortSignal): Promise<Endpoint>;
  disconnect(containerId: string, network: string, signal: AbortSignal): Promise<void>;
  /** The container has a new name: DNS follows. */
  rename(containerId: string, name: string): Promise<void>;
  /** Publishes these ports of a running container, no others; those that stay are not touched. Busy for a taken port. */
  changePorts(containerId: string, ports: readonly PortRequest[]): Promise<void>;
  /**
   * The published ports and names of a running container go over to another one, as its request says, in one turn: no
   * packet finds nobody. Connections that are there stay where they are. The old one, when it still runs, is called `oldName` from now on.
   */
  takeOver(oldId: string, oldName: string, request: SandboxRequest): Promise<void>;
  /** TCP connections to a running container that have not ended. */
  inboundConnections(containerId: string): number;
  onFiles(listener: OnSandboxFiles): Disposable;
  /** At start: keep the sandboxes of `running` containers, remove the others. */
  reconcile(running: ReadonlySet<string>, signal: AbortSignal): Promise<void>;
}
