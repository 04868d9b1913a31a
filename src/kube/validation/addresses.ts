import { addressBytes, isLoopback, parseAddress } from '#formats/ip-address.ts';
import { parsePrefix } from '#formats/ip-prefix.ts';

import { invalid } from './faults.ts';
import type { Faults } from './object-meta.ts';

export function* addressFaults(text: string, path: string): Faults {
  if (parseAddress(text) === undefined)
    yield invalid(path, text, 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)');
}

export function* prefixFaults(text: string, path: string): Faults {
  if (parsePrefix(text) === undefined)
    yield invalid(path, text, 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)');
}

/** Addresses that mean nothing outside of one machine or link cannot be those of endpoints and services. */
export function* specialAddressFaults(text: string, path: string): Faults {
  const address = parseAddress(text);
  if (address === undefined) {
    yield invalid(path, text, 'must be a valid IP address');
    return;
  }
  const [first = 0, second = 0, third = 0] = addressBytes(address);
  const isLink = address.family === 4 ? first === 169 && second === 254 : first === 0xfe && (second & 0xc0) === 0x80;
  const isGroup =
    address.family === 4 ? first === 224 && second === 0 && third === 0 : first === 0xff && (second & 0x0f) === 0x02;
  if (address.value === 0n) yield invalid(path, text, `may not be unspecified (${text})`);
  if (isLoopback(address)) yield invalid(path, text, 'may not be in the loopback range (127.0.0.0/8, ::1/128)');
  if (isLink) yield invalid(path, text, 'may not be in the link-local range (169.254.0.0/16, fe80::/10)');
  if (isGroup) yield invalid(path, text, 'may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)');
}
