/** A block of RFC 7468. */
export interface PemBlock {
  /** Such as `CERTIFICATE`. */
  readonly label: string;
  readonly bytes: Uint8Array;
}

const columns = 64;

export function writePem(label: string, bytes: Uint8Array): string {
  const text = Buffer.from(bytes).toString('base64');
  const lines = text.match(new RegExp(`.{1,${String(columns)}}`, 'g')) ?? [];
  return `-----BEGIN ${label}-----\n${lines.map((line) => `${line}\n`).join('')}-----END ${label}-----\n`;
}

/** All blocks of a text, in order; what stands between them is passed over. */
export function readPem(text: string): readonly PemBlock[] {
  const blocks: PemBlock[] = [];
  const begin = /^-----BEGIN ([A-Z0-9 ]{1,64})-----\s*$/gm;
  for (let match = begin.exec(text); match !== null; match = begin.exec(text)) {
    const label = match[1] ?? '';
    const end = text.indexOf(`-----END ${label}-----`, begin.lastIndex);
    if (end < 0) break;
    const body = text.slice(begin.lastIndex, end).replaceAll(/\s+/g, '');
    if (/^[A-Za-z0-9+/]*={0,2}$/.test(body)) blocks.push({ label, bytes: Buffer.from(body, 'base64') });
    begin.lastIndex = end;
  }
  return blocks;
}

/** DER of the certificates in a text, in order. */
export function certificatesOfPem(text: string): readonly Uint8Array[] {
  return readPem(text)
    .filter(({ label }) => label === 'CERTIFICATE')
    .map(({ bytes }) => bytes);
}
