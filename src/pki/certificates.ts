import type { Purpose } from '#formats/x509/extensions.ts';
import { nameOf } from '#formats/x509/name.ts';
import { parseAddress } from '#formats/ip-address.ts';

import type { Wanted } from './authority.ts';

type Order = Omit<Wanted, 'publicKey'>;

const dayMs = 86_400_000;
/** A year, of which the last third is for renewal. */
export const leafLifetimeMs = 365 * dayMs;

/** A server, reached by names and addresses. */
export function serverCertificate(commonName: string, hosts: readonly string[]): Order {
  return order(commonName, [], ['server auth'], hosts);
}

/** A client: a user of the API, with groups. */
export function clientCertificate(user: string, groups: readonly string[]): Order {
  return order(user, groups, ['client auth'], []);
}

/** The node agent as a client of the API (system:node:NAME in system:nodes). */
export function nodeClientCertificate(node: string): Order {
  return clientCertificate(`system:node:${node}`, ['system:nodes']);
}

/** The node agent as a server, for logs and exec. */
export function nodeServerCertificate(node: string, hosts: readonly string[]): Order {
  return order(`system:node:${node}`, ['system:nodes'], ['server auth'], hosts);
}

function order(
  commonName: string,
  organizations: readonly string[],
  purposes: readonly Purpose[],
  hosts: readonly string[],
): Order {
  const isAddress = (host: string): boolean => parseAddress(host) !== undefined;
  return {
    subject: nameOf(commonName, organizations),
    lifetimeMs: leafLifetimeMs,
    extensions: {
      keyUsages: ['digital signature', 'key encipherment'],
      purposes,
      dnsNames: hosts.filter((host) => !isAddress(host)),
      ipAddresses: hosts.filter(isAddress),
    },
  };
}
