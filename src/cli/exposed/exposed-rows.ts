import type { ExposedPort, ExposureReport } from '#app/control-protocol.ts';
import { isLoopback, parseAddress } from '#formats/ip-address.ts';
import { containsAddress, parsePrefix } from '#formats/ip-prefix.ts';
import type { ProcessSocket } from '#sys/process-sockets.ts';

import type { InputVerdict, Knock } from './input-verdict.ts';

/** One way in. */
export interface ExposedRow {
  readonly container: string;
  /** `tcp`, `udp`, `sctp`, or `unix` for a socket of Slipway itself. */
  readonly protocol: string;
  /** Where it is reached: `0.0.0.0:8080`, or a path. */
  readonly address: string;
  readonly target: string;
  readonly reach: 'this machine' | 'local networks' | 'anywhere';
  /** What lets it in. */
  readonly rule: string;
  /** What the host's input rules say of the port; undefined when they do not exist or are not asked. */
  readonly hostFirewall: InputVerdict | undefined;
  /** Whether the host's input rules are asked at all. */
  readonly passesHostFirewall: boolean;
}

/** What the rows depend on of the machine. */
export interface ExposedWorld {
  verdict(knock: Knock): InputVerdict | undefined;
  sockets(pid: number): readonly ProcessSocket[];
}

/** RFC 1918, 3927, 4193, 4291 and 6598. */
const localBlocks = [
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '169.254.0.0/16',
  '100.64.0.0/10',
  'fc00::/7',
  'fe80::/10',
].flatMap((text) => parsePrefix(text) ?? []);

/** Everything that can be reached, each with the rule that lets it in. */
export function exposedRows(report: ExposureReport, world: ExposedWorld): readonly ExposedRow[] {
  return [
    ...report.ports.flatMap((port) => portRows(port, report.respectHostFirewall, world)),
    ...report.hostNetwork.flatMap(({ container, pid }) =>
      world.sockets(pid).map((socket) => hostRow(container, socket, world)),
    ),
    socketRow('Docker Engine API', report.dockerSocket),
    socketRow('control', report.controlSocket),
  ];
}

/** In words, for the last column. */
export function firewallText({ hostFirewall, passesHostFirewall, reach }: ExposedRow): string {
  if (reach === 'this machine') return '-';
  if (hostFirewall === undefined) return passesHostFirewall ? 'has no rules' : 'has no rules; not asked';
  const verdict = `${hostFirewall.letsIn ? 'lets it in' : 'refuses it'}${hostFirewall.isSure ? '' : ' (perhaps)'}`;
  if (passesHostFirewall) return verdict;
  return hostFirewall.letsIn
    ? `${verdict}; not asked`
    : `WOULD REFUSE IT${hostFirewall.isSure ? '' : ' (perhaps)'}, but is not asked`;
}

function portRows(port: ExposedPort, respectsFirewall: boolean, world: ExposedWorld): readonly ExposedRow[] {
  const { container, protocol, hostIp, hostPort, containerPort, containerAddress, network } = port;
  const family = hostIp.includes(':') ? 6 : 4;
  const target = `${container} ${join(containerAddress, containerPort)}`;
  const base = { container, protocol, target };
  if (hostPort === 0) {
    const rule = `gateway mode routed of network ${network}`;
    const address = join(containerAddress, containerPort);
    return [
      { ...base, address, reach: reachOf(containerAddress), rule, hostFirewall: undefined, passesHostFirewall: false },
    ];
  }
  const rows: ExposedRow[] = [
    {
      ...base,
      address: join(hostIp, hostPort),
      reach: reachOf(hostIp),
      rule: port.isRelayed || respectsFirewall ? 'published, relayed by slipway' : 'published, by map of nftables',
      hostFirewall: world.verdict({ family, protocol, port: hostPort }),
      passesHostFirewall: port.isRelayed || respectsFirewall,
    },
  ];
  for (const name of port.trustedInterfaces) {
    rows.push({
      ...base,
      address: join(containerAddress, containerPort),
      reach: 'local networks',
      rule: `network ${network} trusts interface ${name}`,
      hostFirewall: undefined,
      passesHostFirewall: false,
    });
  }
  return rows;
}

function hostRow(container: string, { protocol, address, port }: ProcessSocket, world: ExposedWorld): ExposedRow {
  return {
    container,
    protocol,
    address: join(address, port),
    target: container,
    reach: reachOf(address),
    rule: 'listens in the network of the host',
    hostFirewall: world.verdict({ family: address.includes(':') ? 6 : 4, protocol, port }),
    passesHostFirewall: true,
  };
}

function socketRow(what: string, path: string): ExposedRow {
  return {
    container: '',
    protocol: 'unix',
    address: path,
    target: `slipway, ${what}`,
    reach: 'this machine',
    rule: 'whoever may open the file',
    hostFirewall: undefined,
    passesHostFirewall: false,
  };
}

function reachOf(text: string): ExposedRow['reach'] {
  const address = parseAddress(text);
  if (address !== undefined && isLoopback(address)) return 'this machine';
  const isLocal = localBlocks.some((block) => address !== undefined && containsAddress(block, address));
  return isLocal ? 'local networks' : 'anywhere';
}

function join(address: string, port: number): string {
  return `${address.includes(':') ? `[${address}]` : address}:${String(port)}`;
}
