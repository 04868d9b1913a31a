import { damaged, partsOf, readDer, timeOf, writeDer, writeSequence, writeTime, writeUnsigned } from './der.ts';
import { noExtensions, readExtensions, writeExtensions, type Extensions } from './extensions.ts';
import { readName, writeName, type DistinguishedName } from './name.ts';
import { ecdsaWithSha256, readSigned, type Signed } from './signature.ts';

/** What a certificate says (RFC 5280 4.1). */
export interface CertificateFields {
  /** Big-endian bytes of a positive number. */
  readonly serial: Uint8Array;
  readonly issuer: DistinguishedName;
  readonly subject: DistinguishedName;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** DER of SubjectPublicKeyInfo. */
  readonly publicKey: Uint8Array;
  readonly extensions: Extensions;
}

export interface Certificate extends CertificateFields {
  readonly signed: Signed;
}

/** The bytes to be signed, for ecdsa-with-SHA256; `writeSigned` adds the signature. */
export function writeCertificateBody(fields: CertificateFields): Uint8Array {
  return writeSequence(
    writeDer(0xa0, writeUnsigned(Buffer.from([2]))),
    writeUnsigned(fields.serial),
    ecdsaWithSha256(),
    writeName(fields.issuer),
    writeSequence(writeTime(fields.notBeforeMs), writeTime(fields.notAfterMs)),
    writeName(fields.subject),
    fields.publicKey,
    writeDer(0xa3, writeExtensions(fields.extensions)),
  );
}

/** Reads DER; checks no signature. Throws Damaged. */
export function readCertificate(bytes: Uint8Array): Certificate {
  const signed = readSigned(bytes);
  const parts = [...partsOf(readDer(signed.body))];
  // The version is left out by certificates of version 1.
  if (parts[0]?.tag === 0xa0) parts.shift();
  const [serial, , issuer, validity, subject, publicKey, ...rest] = parts;
  if (serial === undefined || issuer === undefined || validity === undefined) throw damaged('no certificate');
  if (subject === undefined || publicKey === undefined) throw damaged('no certificate');
  const [notBefore, notAfter] = partsOf(validity);
  if (notBefore === undefined || notAfter === undefined) throw damaged('a certificate without an end');
  const extensions = rest.find(({ tag }) => tag === 0xa3);
  const list = extensions === undefined ? undefined : partsOf(extensions)[0];
  return {
    serial: serial.content,
    issuer: readName(issuer),
    subject: readName(subject),
    notBeforeMs: timeOf(notBefore),
    notAfterMs: timeOf(notAfter),
    publicKey: publicKey.whole,
    extensions: list === undefined ? noExtensions : readExtensions(list),
    signed,
  };
}
