/** Reads six hexadecimal bytes with colons or dashes between; undefined for anything else and for group addresses. */
export function parseMacAddress(text: string): Uint8Array | undefined {
  if (!/^[0-9a-f]{2}(?:[:-][0-9a-f]{2}){5}$/i.test(text)) return undefined;
  const bytes = Uint8Array.from(text.split(/[:-]/), (byte) => Number.parseInt(byte, 16));
  const groupBit = 1;
  return ((bytes[0] ?? 0) & groupBit) === 0 ? bytes : undefined;
}

/** Lower-case hexadecimal bytes with colons between. */
export function formatMacAddress(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(':');
}

/** Docker's address for a container: `02:42` and the four bytes of its IPv4 address. */
export function macAddressOfIpv4(address: Uint8Array): string {
  return formatMacAddress(Uint8Array.from([0x02, 0x42, ...address]));
}
