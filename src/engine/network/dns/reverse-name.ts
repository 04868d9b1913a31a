import { formatAddress, parseAddress } from '#formats/ip-address.ts';

/** The address that a name below in-addr.arpa (RFC 1035) or ip6.arpa (RFC 3596) stands for, in canonical form. */
export function addressOfReverseName(name: string): string | undefined {
  const text = ipv4Text(name) ?? ipv6Text(name);
  const address = text === undefined ? undefined : parseAddress(text);
  return address === undefined ? undefined : formatAddress(address);
}

function ipv4Text(name: string): string | undefined {
  const [, numbers] = /^(\d{1,3}(?:\.\d{1,3}){3})\.in-addr\.arpa$/.exec(name) ?? [];
  return numbers?.split('.').toReversed().join('.');
}

function ipv6Text(name: string): string | undefined {
  const [, digits] = /^([0-9a-f](?:\.[0-9a-f]){31})\.ip6\.arpa$/.exec(name) ?? [];
  return digits
    ?.split('.')
    .toReversed()
    .join('')
    .replace(/(.{4})(?!$)/g, '$1:');
}
