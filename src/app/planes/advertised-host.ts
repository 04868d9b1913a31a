import type { NetworkInterfaceInfo } from 'node:os';

type Interfaces = Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>>;

/** The address by which others reach what listens on a host: where that is all addresses, the machine's first one. */
export function advertisedHost(host: string, interfaces: Interfaces): string {
  const family = { '0.0.0.0': 'IPv4', '::': 'IPv6' }[host];
  if (family === undefined) return host;
  const all = Object.values(interfaces).flatMap((some) => some ?? []);
  const usable = all.filter(({ internal, scopeid = 0 }) => !internal && scopeid === 0);
  const found = usable.find((one) => one.family === family) ?? usable[0];
  return found?.address ?? (family === 'IPv4' ? '127.0.0.1' : '::1');
}
