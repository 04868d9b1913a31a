import { readFileSync } from 'node:fs';

/**
 * Types that a Go program carries for reflection (Go 1.24, internal/abi/type.go), read out of its ELF file: field names,
 * struct tags, types. For programs with fixed addresses on little-endian machines of 64 bits.
 */
export interface GoTypes {
  /** A named struct such as `k8s.io/api/core/v1` and `PodSpec`. */
  struct(packagePath: string, name: string): GoType | undefined;
  structsOf(packagePath: string): readonly GoType[];
}

export interface GoType {
  /** reflect.Kind. */
  readonly kind: 'bool' | 'int' | 'float' | 'string' | 'pointer' | 'slice' | 'map' | 'struct' | 'interface' | 'other';
  readonly bits: number;
  /** Such as `v1.PodSpec` or `[]string`. */
  readonly text: string;
  /** Empty for types without a name. */
  readonly packagePath: string;
  readonly element: GoType | undefined;
  readonly fields: readonly GoField[];
}

export interface GoField {
  readonly name: string;
  readonly tag: string;
  readonly isEmbedded: boolean;
  readonly type: GoType;
}

const kinds: Readonly<Record<number, readonly [GoType['kind'], number]>> = {
  1: ['bool', 1],
  2: ['int', 64],
  5: ['int', 32],
  6: ['int', 64],
  13: ['float', 32],
  14: ['float', 64],
  20: ['interface', 0],
  21: ['map', 0],
  22: ['pointer', 0],
  23: ['slice', 0],
  24: ['string', 0],
  25: ['struct', 0],
};
const sizeOf: Readonly<Record<string, number>> = { pointer: 56, slice: 56, map: 104, struct: 80, interface: 80 };
const [hasUncommon, hasExtraStar] = [1, 2];

export function readGoTypes(path: string): GoTypes {
  const image = readFileSync(path);
  const sections = readSections(image);
  const data = sections.get('.rodata');
  const links = sections.get('.typelink');
  if (data === undefined || links === undefined) throw new Error(`${path} has no types of Go`);
  const base = data.address;
  const at = (address: number): number => address - data.address + data.offset;
  const pointer = (offset: number): number => Number(image.readBigUInt64LE(offset));
  const name = (address: number): { text: string; tag: string; isEmbedded: boolean } => {
    const start = at(address);
    const flags = image[start] ?? 0;
    const [length, text] = readText(image, start + 1);
    const tag = (flags & 2) === 0 ? '' : readText(image, start + 1 + length)[1];
    return { text, tag, isEmbedded: (flags & 8) !== 0 };
  };
  const known = new Map<number, GoType>();
  const typeAt = (address: number): GoType => {
    const before = known.get(address);
    if (before !== undefined) return before;
    const offset = at(address);
    const [kind, bits] = kinds[(image[offset + 23] ?? 0) & 31] ?? ['other', 0];
    const flags = image[offset + 20] ?? 0;
    const star = name(base + image.readInt32LE(offset + 40)).text;
    const uncommon = (flags & hasUncommon) === 0 ? 0 : image.readInt32LE(offset + (sizeOf[kind] ?? 48));
    const type = {
      kind,
      bits,
      text: (flags & hasExtraStar) === 0 ? star : star.slice(1),
      packagePath: uncommon === 0 ? '' : name(base + uncommon).text,
      get element(): GoType | undefined {
        if (kind === 'map') return typeAt(pointer(offset + 56));
        return kind === 'pointer' || kind === 'slice' ? typeAt(pointer(offset + 48)) : undefined;
      },
      get fields(): readonly GoField[] {
        if (kind !== 'struct') return [];
        const [first, count] = [pointer(offset + 56), pointer(offset + 64)];
        return Array.from({ length: count }, (_, index) => {
          const record = at(first) + index * 24;
          const { text, tag, isEmbedded } = name(pointer(record));
          return { name: text, tag, isEmbedded, type: typeAt(pointer(record + 8)) };
        });
      },
    };
    known.set(address, type);
    return type;
  };
  const structs = new Map<string, Map<string, GoType>>();
  for (let offset = links.offset; offset < links.offset + links.size; offset += 4) {
    // Only types without names are linked: pointers, slices and maps lead to the rest.
    for (const type of reach(typeAt(base + image.readInt32LE(offset)))) {
      const own = structs.get(type.packagePath) ?? new Map<string, GoType>();
      structs.set(type.packagePath, own.set(type.text.replace(/^.*\./, ''), type));
    }
  }
  return {
    struct: (packagePath, type) => structs.get(packagePath)?.get(type),
    structsOf: (packagePath) => [...(structs.get(packagePath)?.values() ?? [])],
  };
}

/** The named struct that a type leads to. */
function* reach(type: GoType): Generator<GoType> {
  let at: GoType | undefined = type;
  while (at !== undefined && at.kind !== 'struct') at = at.element;
  if (at !== undefined && at.packagePath !== '') yield at;
}

function readText(image: Buffer, offset: number): [number, string] {
  let [length, bytes] = [0, 0];
  for (let shift = 0; ; shift += 7) {
    const byte = image[offset + bytes] ?? 0;
    bytes += 1;
    length |= (byte & 0x7f) << shift;
    if (byte < 0x80) break;
  }
  return [bytes + length, image.toString('utf8', offset + bytes, offset + bytes + length)];
}

interface Section {
  readonly address: number;
  readonly offset: number;
  readonly size: number;
}

function readSections(image: Buffer): ReadonlyMap<string, Section> {
  const table = Number(image.readBigUInt64LE(40));
  const [entrySize, count, namesIndex] = [image.readUInt16LE(58), image.readUInt16LE(60), image.readUInt16LE(62)];
  const entry = (index: number): Section & { readonly name: number } => {
    const offset = table + index * entrySize;
    return {
      name: image.readUInt32LE(offset),
      address: Number(image.readBigUInt64LE(offset + 16)),
      offset: Number(image.readBigUInt64LE(offset + 24)),
      size: Number(image.readBigUInt64LE(offset + 32)),
    };
  };
  const names = entry(namesIndex).offset;
  return new Map(
    Array.from({ length: count }, (_, index) => {
      const section = entry(index);
      const start = names + section.name;
      return [image.toString('utf8', start, image.indexOf(0, start)), section];
    }),
  );
}
