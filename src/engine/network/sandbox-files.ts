import { StatusError } from '#base/errors.ts';
import { parseAddress } from '#formats/ip-address.ts';

import type { DnsSettings, Endpoint, Sandbox, SandboxRequest } from './networks.ts';
import {
  embeddedServer,
  formatResolvConf,
  onlyLoopback,
  overrideDns,
  reachableServers,
  withNdots,
} from './resolv-conf.ts';

export type SandboxFiles = Sandbox['files'];

/** The host's side of a container's files. */
export interface HostFiles {
  /** The host's /etc/resolv.conf, read. */
  readonly dns: DnsSettings;
  /** Text of the host's /etc/hosts. */
  readonly hosts: string;
  /** What `host-gateway` stands for: the gateways of the default bridge. */
  readonly gateways: readonly string[];
  /** Containers that this one is linked to. */
  readonly linked?: readonly { readonly address: string; readonly names: readonly string[] }[];
}

export type FilesRequest = Pick<SandboxRequest, 'mode' | 'hostname' | 'domainname' | 'dns' | 'extraHosts'>;

/** A container's /etc/hosts, /etc/resolv.conf and /etc/hostname, as Docker writes them. `named`: it has networks with names. */
export function sandboxFiles(
  request: FilesRequest,
  endpoints: readonly Endpoint[],
  named: boolean,
  host: HostFiles,
): SandboxFiles {
  const extra = request.extraHosts.flatMap((line) => extraHostLines(line, host.gateways));
  const base = request.mode === 'host' ? hostLines(host.hosts) : localLines;
  const names = request.domainname === '' ? '' : `${request.hostname}.${request.domainname} `;
  const own = endpoints
    .flatMap(({ ipv4Address, ipv6Address }) => [ipv4Address, ipv6Address])
    .filter((address) => address !== '')
    .map((address) => `${address}\t${names}${request.hostname}`);
  const linked = (host.linked ?? []).map(({ address, names: all }) => `${address}\t${all.join(' ')}`);
  return {
    hosts: `${[...base, ...own, ...linked, ...extra].join('\n')}\n`,
    resolvConf: formatResolvConf(containerDns(request, named, host.dns)),
    hostname: `${request.hostname}\n`,
  };
}

/** What the container's resolver is told. */
function containerDns(request: FilesRequest, named: boolean, host: DnsSettings): DnsSettings {
  const dns = overrideDns(host, request.dns);
  if (request.mode === 'host') return dns;
  if (named) return { ...dns, servers: [embeddedServer], options: withNdots(dns.options) };
  if (needsForwarder(request, host)) return { ...dns, servers: [embeddedServer] };
  const servers = request.dns.servers.length > 0 ? dns.servers : reachableServers(dns.servers);
  return { ...dns, servers };
}

/**
 * A container on the default bridge of a host whose only name servers listen on the host's loopback cannot reach them:
 * the embedded server then passes its queries on, without knowing names. (Docker would send them to a public resolver.)
 */
export function needsForwarder(request: Pick<FilesRequest, 'mode' | 'dns'>, host: DnsSettings): boolean {
  return request.mode === 'networks' && request.dns.servers.length === 0 && onlyLoopback(host.servers);
}

const localLines = [
  '127.0.0.1\tlocalhost',
  '::1\tlocalhost ip6-localhost ip6-loopback',
  'fe00::\tip6-localnet',
  'ff00::\tip6-mcastprefix',
  'ff02::1\tip6-allnodes',
  'ff02::2\tip6-allrouters',
];

/** Reads `name:address` (or `name=address`), address an IP or `host-gateway`. Throws InvalidArgument. */
export function parseExtraHost(text: string): { readonly name: string; readonly address: string } {
  const separator = text.search(/[:=]/);
  const name = text.slice(0, Math.max(separator, 0));
  const address = text.slice(separator + 1).replace(/^\[(.*)\]$/, '$1');
  const isName = /^[^\s#:=]+$/.test(name);
  if (isName && (address === 'host-gateway' || parseAddress(address) !== undefined)) return { name, address };
  throw new StatusError('InvalidArgument', `invalid IP address in add-host: "${address}" (in "${text}")`);
}

function extraHostLines(text: string, gateways: readonly string[]): readonly string[] {
  const { name, address } = parseExtraHost(text);
  return (address === 'host-gateway' ? gateways : [address]).map((one) => `${one}\t${name}`);
}

function hostLines(text: string): readonly string[] {
  return text.replace(/\n+$/, '').split('\n');
}
