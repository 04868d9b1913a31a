import { isLoopback, parseAddress } from '#formats/ip-address.ts';

import type { DnsSettings } from './networks.ts';

/** Address of the embedded name server inside each container that has one. */
export const embeddedServer = '127.0.0.11';

/** resolv.conf(5) as data; what it does not know is left out. IPv6 zones (`fe80::1%eth0`) stay with the server. */
export function parseResolvConf(text: string): DnsSettings {
  const settings = { servers: [] as string[], search: [] as string[], options: [] as string[] };
  for (const line of text.split('\n')) {
    const [word = '', ...rest] = line
      .replace(/[#;].*$/, '')
      .trim()
      .split(/\s+/);
    if (word === 'nameserver' && rest[0] !== undefined && isServer(rest[0])) settings.servers.push(rest[0]);
    // The last of several search or domain lines wins.
    if (word === 'search' || word === 'domain') settings.search = rest;
    if (word === 'options') settings.options.push(...rest);
  }
  return settings;
}

export function formatResolvConf(settings: DnsSettings): string {
  const lines = ['# Made by Slipway. It is made anew at each start of the container.'];
  for (const server of settings.servers) lines.push(`nameserver ${server}`);
  if (settings.search.length > 0) lines.push(`search ${settings.search.join(' ')}`);
  if (settings.options.length > 0) lines.push(`options ${settings.options.join(' ')}`);
  return `${lines.join('\n')}\n`;
}

/** The host's settings with those of the container in their place, list by list; a search of `.` means none. */
export function overrideDns(host: DnsSettings, container: DnsSettings): DnsSettings {
  const search = container.search.length > 0 ? container.search.filter((domain) => domain !== '.') : host.search;
  return {
    servers: container.servers.length > 0 ? container.servers : host.servers,
    search,
    options: container.options.length > 0 ? container.options : host.options,
  };
}

/** Servers that a container can reach: those on the host's loopback are not among them. */
export function reachableServers(servers: readonly string[]): readonly string[] {
  return servers.filter((server) => {
    const address = parseAddress(server);
    return address !== undefined && !isLoopback(address);
  });
}

/** Whether a server is only a stub on this machine, such as systemd-resolved's 127.0.0.53. */
export function onlyLoopback(servers: readonly string[]): boolean {
  return servers.length > 0 && reachableServers(servers).length === 0;
}

/** Adds `ndots:0` unless the settings say something about ndots: the embedded server answers for names without dots. */
export function withNdots(options: readonly string[]): readonly string[] {
  return options.some((option) => option.startsWith('ndots:')) ? options : [...options, 'ndots:0'];
}

function isServer(text: string): boolean {
  return parseAddress(text.split('%')[0] ?? '') !== undefined;
}
