import { formatAddress, type IpAddress, parseAddress } from './ip-address.ts';

/** A block of addresses in CIDR notation (RFC 4632); `address` is its first one. */
export interface IpPrefix {
  readonly address: IpAddress;
  readonly length: number;
}

/** Reads `address/length`; the address may have host bits, which are cleared. Undefined for anything else. */
export function parsePrefix(text: string): IpPrefix | undefined {
  const [, addressText = '', lengthText = ''] = /^([^/]+)\/(0|[1-9]\d{0,2})$/.exec(text) ?? [];
  const address = parseAddress(addressText);
  if (address === undefined || Number(lengthText) > bitsOf(address)) return undefined;
  return prefixOf(address, Number(lengthText));
}

export function formatPrefix(prefix: IpPrefix): string {
  return `${formatAddress(prefix.address)}/${String(prefix.length)}`;
}

/** The block of `length` bits around an address. */
export function prefixOf(address: IpAddress, length: number): IpPrefix {
  const hostBits = BigInt(bitsOf(address) - length);
  return { address: { family: address.family, value: (address.value >> hostBits) << hostBits }, length };
}

/** How many addresses the block has. */
export function prefixSize(prefix: IpPrefix): bigint {
  return 1n << BigInt(bitsOf(prefix.address) - prefix.length);
}

/** The address `offset` places after the first; a negative one counts from the end (-1 is the last). */
export function addressAt(prefix: IpPrefix, offset: bigint): IpAddress {
  const from = offset < 0n ? prefixSize(prefix) : 0n;
  return { family: prefix.address.family, value: prefix.address.value + from + offset };
}

export function containsAddress(prefix: IpPrefix, address: IpAddress): boolean {
  if (prefix.address.family !== address.family) return false;
  const offset = address.value - prefix.address.value;
  return offset >= 0n && offset < prefixSize(prefix);
}

/** Whether `inner` lies wholly in `outer`. */
export function containsPrefix(outer: IpPrefix, inner: IpPrefix): boolean {
  return inner.length >= outer.length && containsAddress(outer, inner.address);
}

export function prefixesOverlap(one: IpPrefix, other: IpPrefix): boolean {
  return containsPrefix(one, other) || containsPrefix(other, one);
}

function bitsOf(address: IpAddress): number {
  return address.family === 4 ? 32 : 128;
}
