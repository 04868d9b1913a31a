import { damaged, objectIdOf, partsOf, tags, writeDer, writeObjectId, writeSequence, type DerValue } from './der.ts';

/** A distinguished name (RFC 5280 4.1.2.4): attributes in their order, by dotted object identifier. */
export type DistinguishedName = readonly NameAttribute[];

export interface NameAttribute {
  readonly type: string;
  readonly value: string;
}

const commonNameType = '2.5.4.3';
const organizationType = '2.5.4.10';

/** Names of attributes as OpenSSL and Go print them. */
const shortTypes: Readonly<Record<string, string>> = {
  [commonNameType]: 'CN',
  '2.5.4.6': 'C',
  '2.5.4.7': 'L',
  '2.5.4.8': 'ST',
  '2.5.4.9': 'STREET',
  [organizationType]: 'O',
  '2.5.4.11': 'OU',
};

/** A name as Kubernetes uses it: the user, and the groups as organizations. */
export function nameOf(commonName: string, organizations: readonly string[] = []): DistinguishedName {
  return [
    ...organizations.map((value) => ({ type: organizationType, value })),
    { type: commonNameType, value: commonName },
  ];
}

/** The last common name; empty for none. */
export function commonNameOf(name: DistinguishedName): string {
  return name.findLast(({ type }) => type === commonNameType)?.value ?? '';
}

export function organizationsOf(name: DistinguishedName): readonly string[] {
  return name.filter(({ type }) => type === organizationType).map(({ value }) => value);
}

/** One line for people: `O=system:masters,CN=admin`. */
export function nameText(name: DistinguishedName): string {
  return name.map(({ type, value }) => `${shortTypes[type] ?? type}=${value}`).join(',');
}

export function writeName(name: DistinguishedName): Uint8Array {
  return writeSequence(
    ...name.map(({ type, value }) =>
      writeDer(tags.set, writeSequence(writeObjectId(type), writeDer(tags.utf8String, Buffer.from(value, 'utf8')))),
    ),
  );
}

/** Throws Damaged. */
export function readName(value: DerValue): DistinguishedName {
  return partsOf(value).flatMap((set) =>
    partsOf(set).map((pair) => {
      const [type, text] = partsOf(pair);
      if (type === undefined || text === undefined) throw damaged('an attribute of a name is not a pair');
      return { type: objectIdOf(type), value: textOf(text) };
    }),
  );
}

/** UTF-8, Printable, IA5 and Teletex strings; BMPString (tag 0x1e) is UTF-16. */
function textOf(value: DerValue): string {
  if (value.tag === 0x1e && value.content.length % 2 === 0)
    return Buffer.from(value.content).swap16().toString('utf16le');
  return Buffer.from(value.content).toString('utf8');
}
