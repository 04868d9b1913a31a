import { StatusError } from '#base/errors.ts';

import { addressBytes, addressOfBytes, formatAddress, parseAddress } from '../ip-address.ts';

import {
  bytesOfBits,
  damaged,
  objectIdOf,
  partsOf,
  readDer,
  tags,
  writeBits,
  writeDer,
  writeObjectId,
  writeSequence,
  type DerValue,
} from './der.ts';

/** Bits of KeyUsage in their order (RFC 5280 4.2.1.3). */
export const keyUsages = [
  'digital signature',
  'content commitment',
  'key encipherment',
  'data encipherment',
  'key agreement',
  'cert sign',
  'crl sign',
] as const;
export type KeyUsage = (typeof keyUsages)[number];

/** Purposes of ExtendedKeyUsage, named as certificates.k8s.io names them. */
export const purposes = {
  'server auth': '1.3.6.1.5.5.7.3.1',
  'client auth': '1.3.6.1.5.5.7.3.2',
  'code signing': '1.3.6.1.5.5.7.3.3',
  'email protection': '1.3.6.1.5.5.7.3.4',
  timestamping: '1.3.6.1.5.5.7.3.8',
  'ocsp signing': '1.3.6.1.5.5.7.3.9',
  any: '2.5.29.37.0',
} as const;
export type Purpose = keyof typeof purposes;

export interface AlternativeNames {
  readonly dnsNames: readonly string[];
  /** As text, such as 10.0.0.1 or fd00::1. */
  readonly ipAddresses: readonly string[];
  readonly emails: readonly string[];
  readonly uris: readonly string[];
}

/** The part of a certificate that is not names, times and key. */
export interface Extensions extends AlternativeNames {
  readonly isAuthority: boolean;
  readonly keyUsages: readonly KeyUsage[];
  readonly purposes: readonly Purpose[];
  readonly subjectKeyId: Uint8Array | undefined;
  readonly authorityKeyId: Uint8Array | undefined;
}

const ids = {
  subjectKeyId: '2.5.29.14',
  keyUsage: '2.5.29.15',
  alternativeNames: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyId: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
} as const;

export const noExtensions: Extensions = {
  isAuthority: false,
  keyUsages: [],
  purposes: [],
  subjectKeyId: undefined,
  authorityKeyId: undefined,
  dnsNames: [],
  ipAddresses: [],
  emails: [],
  uris: [],
};

/** A sequence of those extensions that say something. Critical are key usage and basic constraints, as RFC 5280 advises. */
export function writeExtensions(from: Extensions): Uint8Array {
  const parts: Uint8Array[] = [];
  const add = (id: string, isCritical: boolean, value: Uint8Array): void => {
    const critical = isCritical ? [writeDer(tags.boolean, Buffer.from([0xff]))] : [];
    parts.push(writeSequence(writeObjectId(id), ...critical, writeDer(tags.octetString, value)));
  };
  if (from.keyUsages.length > 0) add(ids.keyUsage, true, usageBits(from.keyUsages));
  if (from.purposes.length > 0)
    add(ids.extendedKeyUsage, false, writeSequence(...from.purposes.map((name) => writeObjectId(purposes[name]))));
  if (from.isAuthority) add(ids.basicConstraints, true, writeSequence(writeDer(tags.boolean, Buffer.from([0xff]))));
  else if (from.keyUsages.length > 0) add(ids.basicConstraints, true, writeSequence());
  if (from.subjectKeyId !== undefined) add(ids.subjectKeyId, false, writeDer(tags.octetString, from.subjectKeyId));
  if (from.authorityKeyId !== undefined)
    add(ids.authorityKeyId, false, writeSequence(writeDer(0x80, from.authorityKeyId)));
  const names = generalNames(from);
  if (names.length > 0) add(ids.alternativeNames, false, writeSequence(...names));
  return writeSequence(...parts);
}

/** Extensions that this program knows; others are passed over. Throws Damaged. */
export function readExtensions(sequence: DerValue): Extensions {
  let found = noExtensions;
  for (const extension of partsOf(sequence)) {
    const parts = partsOf(extension);
    const [id, value] = [parts[0], parts.at(-1)];
    if (id === undefined || value?.tag !== tags.octetString) throw damaged('an extension has no value');
    found = { ...found, ...readExtension(objectIdOf(id), value.content) };
  }
  return found;
}

function readExtension(id: string, bytes: Uint8Array): Partial<Extensions> {
  if (id === ids.keyUsage) return { keyUsages: usagesOf(readDer(bytes)) };
  if (id === ids.extendedKeyUsage) return { purposes: purposesOf(readDer(bytes)) };
  if (id === ids.alternativeNames) return namesOf(readDer(bytes));
  if (id === ids.subjectKeyId) return { subjectKeyId: readDer(bytes).content };
  if (id === ids.authorityKeyId) {
    const key = partsOf(readDer(bytes)).find(({ tag }) => tag === 0x80);
    return key === undefined ? {} : { authorityKeyId: key.content };
  }
  if (id !== ids.basicConstraints) return {};
  const [first] = partsOf(readDer(bytes));
  return { isAuthority: first?.tag === tags.boolean && first.content[0] !== 0 };
}

function generalNames(from: AlternativeNames): readonly Uint8Array[] {
  const texts = (tag: number, values: readonly string[]): readonly Uint8Array[] =>
    values.map((value) => writeDer(tag, Buffer.from(value, 'latin1')));
  return [
    ...texts(0x81, from.emails),
    ...texts(0x82, from.dnsNames),
    ...texts(0x86, from.uris),
    ...from.ipAddresses.map((address) => writeDer(0x87, bytesOfIp(address))),
  ];
}

function namesOf(sequence: DerValue): AlternativeNames {
  const parts = partsOf(sequence);
  const texts = (tag: number): readonly string[] =>
    parts.filter((part) => part.tag === tag).map((part) => Buffer.from(part.content).toString('latin1'));
  return {
    emails: texts(0x81),
    dnsNames: texts(0x82),
    uris: texts(0x86),
    ipAddresses: parts.filter(({ tag }) => tag === 0x87).map(({ content }) => ipOfBytes(content)),
  };
}

/** Named bits lose their trailing zeros in DER (X.690 11.2.2). */
function usageBits(usages: readonly KeyUsage[]): Uint8Array {
  const byte = usages.reduce((bits, usage) => bits | (0x80 >> keyUsages.indexOf(usage)), 0);
  let unused = 0;
  while (unused < 7 && ((byte >> unused) & 1) === 0) unused += 1;
  return writeBits(Buffer.from([byte]), unused);
}

function usagesOf(value: DerValue): readonly KeyUsage[] {
  if (value.tag !== tags.bitString) throw damaged('key usage is no bit string');
  const byte = value.content[1] ?? 0;
  return keyUsages.filter((_, index) => (byte & (0x80 >> index)) !== 0);
}

function purposesOf(value: DerValue): readonly Purpose[] {
  const wanted = new Set(partsOf(value).map(objectIdOf));
  return (Object.keys(purposes) as Purpose[]).filter((name) => wanted.has(purposes[name]));
}

/** The key's bits without their algorithm, of which key identifiers are hashes (RFC 5280 4.2.1.2). */
export function keyBitsOf(publicKey: Uint8Array): Uint8Array {
  const bits = partsOf(readDer(publicKey))[1];
  if (bits === undefined) throw damaged('a public key has no bits');
  return bytesOfBits(bits);
}

function bytesOfIp(text: string): Uint8Array {
  const address = parseAddress(text);
  if (address === undefined)
    throw new StatusError('InvalidArgument', `Cannot write address "${text}" into a certificate: it is no IP address`);
  return addressBytes(address);
}

function ipOfBytes(bytes: Uint8Array): string {
  const address = addressOfBytes(bytes);
  if (address === undefined) throw damaged('an IP address has neither 4 nor 16 bytes');
  return formatAddress(address);
}
