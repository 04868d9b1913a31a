import { createHash, createPublicKey, randomBytes, sign, X509Certificate, type KeyObject } from 'node:crypto';

import { readCertificate, writeCertificateBody, type CertificateFields } from '#formats/x509/certificate.ts';
import { keyBitsOf, noExtensions, type Extensions } from '#formats/x509/extensions.ts';
import { nameOf, type DistinguishedName } from '#formats/x509/name.ts';
import { writePem } from '#formats/x509/pem.ts';
import { writeSigned } from '#formats/x509/signature.ts';

export interface Authority {
  /** DER. */
  readonly certificate: Uint8Array;
  readonly key: KeyObject;
}

/** What the owner of a certificate may be; the authority adds issuer, number, times and key identifiers. */
export interface Wanted {
  readonly subject: DistinguishedName;
  /** DER of SubjectPublicKeyInfo. */
  readonly publicKey: Uint8Array;
  readonly extensions: Partial<Extensions>;
  readonly lifetimeMs: number;
}

const dayMs = 86_400_000;
/** Clocks of other machines may be this much behind. */
const backdateMs = dayMs;
/** No clock is right that shows a time before this program was written. */
const earliestMs = Date.UTC(2026, 0, 1);
const authorityLifetimeMs = 30 * 365 * dayMs;

/** An authority that signs itself, for 30 years. */
export function makeAuthority(commonName: string, key: KeyObject, nowMs: number): Authority {
  const publicKey = publicKeyBytes(key);
  const subject = nameOf(commonName);
  const keyId = keyIdOf(publicKey);
  const fields = {
    ...validity(nowMs, authorityLifetimeMs, Infinity),
    serial: newSerial(),
    issuer: subject,
    subject,
    publicKey,
    extensions: {
      ...noExtensions,
      isAuthority: true,
      keyUsages: ['digital signature', 'key encipherment', 'cert sign'],
      subjectKeyId: keyId,
      authorityKeyId: keyId,
      dnsNames: [commonName],
    },
  } as const;
  return { certificate: signCertificate(fields, key), key };
}

/** DER of a certificate for somebody's public key. It ends with the authority at the latest. */
export function issueCertificate(authority: Authority, wanted: Wanted, nowMs: number): Uint8Array {
  const issuer = readCertificate(authority.certificate);
  const fields = {
    ...validity(nowMs, wanted.lifetimeMs, issuer.notAfterMs),
    serial: newSerial(),
    issuer: issuer.subject,
    subject: wanted.subject,
    publicKey: wanted.publicKey,
    extensions: {
      ...noExtensions,
      ...wanted.extensions,
      isAuthority: false,
      authorityKeyId: issuer.extensions.subjectKeyId ?? keyIdOf(issuer.publicKey),
    },
  };
  return signCertificate(fields, authority.key);
}

/** Whether a certificate is signed by the authority and valid at a time. */
export function isIssuedBy(certificate: Uint8Array, authority: Uint8Array, nowMs: number): boolean {
  const [one, issuer] = [new X509Certificate(certificate), new X509Certificate(authority)];
  const { notBeforeMs, notAfterMs } = readCertificate(certificate);
  return one.checkIssued(issuer) && one.verify(issuer.publicKey) && notBeforeMs <= nowMs && nowMs <= notAfterMs;
}

export function certificatePem(certificate: Uint8Array): string {
  return writePem('CERTIFICATE', certificate);
}

/** DER of SubjectPublicKeyInfo of a private or public key. */
export function publicKeyBytes(key: KeyObject): Uint8Array {
  return (key.type === 'private' ? createPublicKey(key) : key).export({ format: 'der', type: 'spki' });
}

/** The first 160 bits of the key's SHA-256 (RFC 7093 section 2, method 1). */
function keyIdOf(publicKey: Uint8Array): Uint8Array {
  return createHash('sha256').update(keyBitsOf(publicKey)).digest().subarray(0, 20);
}

function signCertificate(fields: CertificateFields, key: KeyObject): Uint8Array {
  const body = writeCertificateBody(fields);
  return writeSigned(body, sign('sha256', body, key));
}

/** From a day ago, so that machines whose clock is behind take it; a clock that cannot be right counts as the earliest one. */
function validity(nowMs: number, lifetimeMs: number, endMs: number): { notBeforeMs: number; notAfterMs: number } {
  const startMs = Math.max(nowMs, earliestMs);
  return { notBeforeMs: startMs - backdateMs, notAfterMs: Math.min(startMs + lifetimeMs, endMs) };
}

/** Positive, with 159 bits of chance (RFC 5280 4.1.2.2 allows 20 bytes). */
function newSerial(): Uint8Array {
  const bytes = randomBytes(20);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes;
}
