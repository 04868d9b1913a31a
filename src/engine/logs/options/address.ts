import type { Address } from '../log-config.ts';
import { invalidOption } from './invalid-option.ts';

const transportPattern = /^(tcp\+tls|tcp|tls|udp|unixgram|unix):\/\/(.*)$/s;
const hostPattern = /^(?:\[([0-9a-fA-F:.%]+)\]|([^:[\]/\s]*))(?::(\d*))?$/;
const highestPort = 65_535;

/** Reads `protocol://host[:port]` or `unix:///path`; undefined when there is no such protocol. Throws InvalidArgument. */
export function parseAddress(text: string, defaultPort: number | undefined): Address | undefined {
  const [, scheme, rest = ''] = transportPattern.exec(text) ?? [];
  if (scheme === undefined) return undefined;
  if (scheme === 'unix' || scheme === 'unixgram') return { protocol: scheme, path: rest };
  const [, ipv6, name = '', portText] = hostPattern.exec(rest) ?? [];
  if (!hostPattern.test(rest)) throw invalidOption(`address ${rest}: want host:port`);
  const host = ipv6 ?? (name === '' ? 'localhost' : name);
  const port = portText === undefined ? defaultPort : Number(portText);
  if (port === undefined) throw invalidOption(`address ${rest}: missing port in address`);
  if (portText === '' || port > highestPort || port === 0) throw invalidOption(`address ${rest}: invalid port`);
  return { protocol: scheme === 'tcp+tls' ? 'tls' : (scheme as 'tcp' | 'tls' | 'udp'), host, port };
}
