import { BlockList, isIP } from 'node:net';

import type { Environment } from '@marcbachmann/cel-js';

import { StatusError } from '#base/errors.ts';

class Address {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

class Prefix {
  readonly address: string;
  readonly bits: number;

  constructor(address: string, bits: number) {
    this.address = address;
    this.bits = bits;
  }
}

/** Kubernetes' functions for addresses, networks and URLs. */
export function registerNetwork(environment: Environment): void {
  environment.registerType('net.IP', Address);
  environment.registerType('net.CIDR', Prefix);
  environment.registerType('kubernetes.URL', URL);
  environment.registerFunction('ip(string): net.IP', (text: string) => new Address(parseAddress(text)));
  environment.registerFunction('isIP(string): bool', (text: string) => isIP(text) !== 0);
  environment.registerFunction('net.IP.family(): int', ({ text }: Address) => BigInt(isIP(text)));
  environment.registerFunction('net.IP.isUnspecified(): bool', ({ text }: Address) =>
    isIn(text, isIP(text) === 4 ? '0.0.0.0/32' : '::/128'),
  );
  environment.registerFunction('net.IP.isLoopback(): bool', ({ text }: Address) =>
    isIn(text, isIP(text) === 4 ? '127.0.0.0/8' : '::1/128'),
  );
  environment.registerFunction('net.IP.isLinkLocalUnicast(): bool', ({ text }: Address) =>
    isIn(text, isIP(text) === 4 ? '169.254.0.0/16' : 'fe80::/10'),
  );
  environment.registerFunction('net.IP.isLinkLocalMulticast(): bool', ({ text }: Address) =>
    isIn(text, isIP(text) === 4 ? '224.0.0.0/24' : 'ff02::/16'),
  );
  environment.registerFunction('net.IP.isGlobalUnicast(): bool', ({ text }: Address) => isGlobal(text));
  environment.registerFunction('string(net.IP): string', ({ text }: Address) => text);
  environment.registerFunction('cidr(string): net.CIDR', (text: string) => parsePrefix(text));
  environment.registerFunction('isCIDR(string): bool', (text: string) => prefixOf(text) !== undefined);
  environment.registerFunction('net.CIDR.containsIP(string): bool', (prefix: Prefix, text: string) =>
    contains(prefix, parseAddress(text)),
  );
  environment.registerFunction('net.CIDR.containsIP(net.IP): bool', (prefix: Prefix, { text }: Address) =>
    contains(prefix, text),
  );
  environment.registerFunction('net.CIDR.containsCIDR(string): bool', (prefix: Prefix, text: string) =>
    includes(prefix, parsePrefix(text)),
  );
  environment.registerFunction('net.CIDR.containsCIDR(net.CIDR): bool', (prefix: Prefix, other: Prefix) =>
    includes(prefix, other),
  );
  environment.registerFunction('net.CIDR.ip(): net.IP', ({ address }: Prefix) => new Address(address));
  environment.registerFunction('net.CIDR.prefixLength(): int', ({ bits }: Prefix) => BigInt(bits));
  registerUrls(environment);
}

function registerUrls(environment: Environment): void {
  environment.registerFunction('url(string): kubernetes.URL', (text: string) => {
    if (!URL.canParse(text)) throw failed(`URL parse error during conversion from string: ${text}`);
    return new URL(text);
  });
  environment.registerFunction('isURL(string): bool', (text: string) => URL.canParse(text));
  environment.registerFunction('kubernetes.URL.getScheme(): string', (url: URL) => url.protocol.slice(0, -1));
  environment.registerFunction('kubernetes.URL.getHost(): string', (url: URL) => url.host);
  environment.registerFunction('kubernetes.URL.getHostname(): string', (url: URL) =>
    // Go leaves the brackets of an IPv6 address out.
    url.hostname.replace(/^\[(.*)\]$/, '$1'),
  );
  environment.registerFunction('kubernetes.URL.getPort(): string', (url: URL) => url.port);
  environment.registerFunction('kubernetes.URL.getEscapedPath(): string', (url: URL) => url.pathname);
  environment.registerFunction('kubernetes.URL.getQuery(): map', (url: URL) =>
    Object.fromEntries([...new Set(url.searchParams.keys())].map((key) => [key, url.searchParams.getAll(key)])),
  );
}

function parseAddress(text: string): string {
  if (isIP(text) === 0) throw failed(`IP Address ${JSON.stringify(text)} parse error during conversion from string`);
  return text;
}

function parsePrefix(text: string): Prefix {
  const prefix = prefixOf(text);
  if (prefix === undefined) throw failed(`network address parse error during conversion from string: ${text}`);
  return prefix;
}

function prefixOf(text: string): Prefix | undefined {
  const [, address = '', bits = ''] = /^(.+)\/(\d{1,3})$/.exec(text) ?? [];
  const family = isIP(address);
  if (family === 0 || Number(bits) > (family === 4 ? 32 : 128)) return undefined;
  return new Prefix(address, Number(bits));
}

function isIn(address: string, network: string): boolean {
  return contains(parsePrefix(network), address);
}

function contains({ address, bits }: Prefix, other: string): boolean {
  const family = isIP(address);
  if (family !== isIP(other)) return false;
  const list = new BlockList();
  list.addSubnet(address, bits, family === 4 ? 'ipv4' : 'ipv6');
  return list.check(other, family === 4 ? 'ipv4' : 'ipv6');
}

function includes(prefix: Prefix, other: Prefix): boolean {
  return other.bits >= prefix.bits && contains(prefix, other.address);
}

function isGlobal(text: string): boolean {
  const special =
    isIP(text) === 4
      ? ['0.0.0.0/32', '127.0.0.0/8', '169.254.0.0/16', '224.0.0.0/4', '255.255.255.255/32']
      : ['::/127', 'fe80::/10', 'ff00::/8'];
  return !special.some((network) => isIn(text, network));
}

function failed(message: string): StatusError {
  return new StatusError('InvalidArgument', message);
}
