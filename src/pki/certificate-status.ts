import { readCertificate } from '#formats/x509/certificate.ts';
import { nameText } from '#formats/x509/name.ts';
import { certificatesOfPem } from '#formats/x509/pem.ts';

export interface CertificateStatus {
  readonly subject: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** `due`: in the last third of its life, where it is renewed. */
  readonly state: 'valid' | 'due' | 'expired' | 'not yet valid';
}

/** How the first certificate of a PEM text stands at a time; undefined when there is none. Throws Damaged. */
export function certificateStatus(pem: string, nowMs: number): CertificateStatus | undefined {
  const [bytes] = certificatesOfPem(pem);
  if (bytes === undefined) return undefined;
  const { subject, notBeforeMs, notAfterMs } = readCertificate(bytes);
  return { subject: nameText(subject), notBeforeMs, notAfterMs, state: stateOf(notBeforeMs, notAfterMs, nowMs) };
}

function stateOf(notBeforeMs: number, notAfterMs: number, nowMs: number): CertificateStatus['state'] {
  if (nowMs < notBeforeMs) return 'not yet valid';
  if (nowMs > notAfterMs) return 'expired';
  return nowMs > notAfterMs - (notAfterMs - notBeforeMs) / 3 ? 'due' : 'valid';
}
