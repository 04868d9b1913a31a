import { StatusError } from '#base/errors.ts';
import { formatAddress, type IpAddress, parseAddress } from '#formats/ip-address.ts';
import { addressAt, containsAddress, type IpPrefix, parsePrefix, prefixSize } from '#formats/ip-prefix.ts';

import type { Subnet } from './networks.ts';

/**
 * The address of a new endpoint: the wanted one, else the lowest free one of the range. `used` holds the addresses of
 * other endpoints. Throws InvalidArgument, Conflict or, when the subnet is full, Unavailable.
 */
export function chooseAddress(subnet: Subnet, wanted: string | undefined, used: ReadonlySet<string>): string {
  const prefix = readPrefix(subnet.subnet);
  const reserved = new Set([subnet.gateway, ...Object.values(subnet.auxAddresses ?? {})]);
  if (wanted !== undefined && wanted !== '') return checkWanted(prefix, wanted, used, reserved);
  const range = subnet.ipRange === undefined ? prefix : readPrefix(subnet.ipRange);
  const end = range.address.value + prefixSize(range);
  for (let value = range.address.value; value < end; value += 1n) {
    const address = { family: prefix.address.family, value };
    if (!isHost(prefix, address)) continue;
    const text = formatAddress(address);
    if (!used.has(text) && !reserved.has(text)) return text;
  }
  throw new StatusError('Unavailable', `no available addresses on the subnet ${subnet.ipRange ?? subnet.subnet}`);
}

/** Whether one of the subnets can hold the address. */
export function fitsSubnet(subnet: Subnet | undefined, text: string): boolean {
  const address = parseAddress(text);
  const prefix = subnet === undefined ? undefined : parsePrefix(subnet.subnet);
  return address !== undefined && prefix !== undefined && isHost(prefix, address);
}

/** Docker's words, which clients match on. */
export function noSubnetContains(text: string): StatusError {
  return new StatusError(
    'InvalidArgument',
    `invalid endpoint settings: no configured subnet or ip-range contain the IP address ${text}`,
  );
}

function checkWanted(
  prefix: IpPrefix,
  wanted: string,
  used: ReadonlySet<string>,
  reserved: ReadonlySet<string>,
): string {
  const address = parseAddress(wanted);
  if (address === undefined || !isHost(prefix, address)) throw noSubnetContains(wanted);
  const text = formatAddress(address);
  if (used.has(text) || reserved.has(text)) throw new StatusError('Conflict', `Address already in use: ${text}`);
  return text;
}

/** Not the network's own address, and not the broadcast address of IPv4. */
function isHost(prefix: IpPrefix, address: IpAddress): boolean {
  if (!containsAddress(prefix, address) || address.value === prefix.address.value) return false;
  return address.family === 6 || address.value !== addressAt(prefix, -1n).value;
}

function readPrefix(text: string): IpPrefix {
  const prefix = parsePrefix(text);
  if (prefix === undefined) throw new StatusError('Damaged', `Cannot use subnet "${text}": it is not an address block`);
  return prefix;
}
