const newline = 0x0a;

/**
 * An entry of the journal in its native protocol (systemd, JOURNAL_NATIVE_PROTOCOL.md): `NAME=value` lines, and values
 * with newlines by their length.
 */
export function encodeJournalEntry(fields: Readonly<Record<string, string | Uint8Array>>): Buffer {
  return Buffer.concat(Object.entries(fields).flatMap(([name, value]) => encodeField(name, Buffer.from(value))));
}

/** A name as journald takes it: capital letters, digits and underscores, none of these in front. '' when nothing is left. */
export function journalFieldName(name: string): string {
  return name
    .replaceAll(/[a-z]+/g, (letters) => letters.toUpperCase())
    .replaceAll(/[^A-Z0-9_]/gu, '_')
    .replace(/^_+/, '');
}

function encodeField(name: string, value: Buffer): readonly Buffer[] {
  if (!value.includes(newline)) return [Buffer.from(`${name}=`), value, Buffer.of(newline)];
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(value.length));
  return [Buffer.from(`${name}\n`), length, value, Buffer.of(newline)];
}
