import { createHash, X509Certificate } from 'node:crypto';

import { StatusError } from '#base/errors.ts';
import { readCertificate } from '#formats/x509/certificate.ts';
import { commonNameOf, organizationsOf } from '#formats/x509/name.ts';

import type { Authentication, Authenticator } from '../authenticator.ts';

/** Name attribute by which Kubernetes carries the uid of a user in certificates. */
const uidType = '1.3.6.1.4.1.57683.2';

interface Checked extends Authentication {
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/**
 * The common name is the user, organizations are the groups. The certificate must be signed by one of the authorities (DER)
 * and made for clients. That the client has its key was shown by TLS.
 */
export function clientCertificates(authorities: readonly Uint8Array[], nowMs: () => number): Authenticator {
  const issuers = authorities.map((bytes) => new X509Certificate(bytes));
  // A connection hands in the same bytes each time, and what was checked goes with them.
  const checks = new WeakMap<Uint8Array, Checked>();
  return {
    authenticate: async ({ clientCertificate }) => {
      if (clientCertificate === undefined) return undefined;
      const checked = checks.get(clientCertificate) ?? check(clientCertificate, issuers);
      checks.set(clientCertificate, checked);
      if (nowMs() < checked.notBeforeMs || nowMs() > checked.notAfterMs)
        throw unauthorized('certificate has expired or is not yet valid');
      return { user: checked.user, audiences: [] };
    },
  };
}

function check(bytes: Uint8Array, issuers: readonly X509Certificate[]): Checked {
  const { subject, extensions, notBeforeMs, notAfterMs } = readCertificate(bytes);
  const certificate = new X509Certificate(bytes);
  if (!issuers.some((issuer) => certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey)))
    throw unauthorized('certificate signed by unknown authority');
  const { purposes } = extensions;
  if (!purposes.includes('client auth') && !purposes.includes('any'))
    throw unauthorized('certificate specifies an incompatible key usage');
  const name = commonNameOf(subject);
  if (name === '') throw unauthorized('certificate has no common name');
  const fingerprint = createHash('sha256').update(bytes).digest('hex');
  const user = {
    name,
    uid: subject.find(({ type }) => type === uidType)?.value ?? '',
    groups: organizationsOf(subject),
    extra: { 'authentication.kubernetes.io/credential-id': [`X509SHA256=${fingerprint}`] },
  };
  return { user, audiences: [], notBeforeMs, notAfterMs };
}

function unauthorized(why: string): StatusError {
  return new StatusError('Unauthorized', `Cannot take client certificate: ${why}; ask for a new one`);
}
