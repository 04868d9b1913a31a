import { formatHumanDuration } from '#formats/human-duration.ts';

import { ageColumn, nameColumn, text } from '../../printing/columns.ts';
import { none } from '../../printing/labels.ts';
import type { CertificateSigningRequest } from '../../types/gen/certificates-v1.ts';
import { defineKind, part } from '../define-kind.ts';
import { duplicate, invalid, required } from '../../validation/faults.ts';
import type { Faults } from '../../validation/object-meta.ts';

export const certificateSigningRequest = defineKind<CertificateSigningRequest>({
  group: 'certificates.k8s.io',
  version: 'v1',
  kind: 'CertificateSigningRequest',
  plural: 'certificatesigningrequests',
  shortNames: ['csr'],
  scope: 'Cluster',
  subresources: [part('approval')],
  columns: [
    nameColumn,
    ageColumn,
    text('SignerName', 'Who shall sign.', ({ spec }) => spec?.signerName || none),
    text('Requestor', 'Who asks.', ({ spec }) => spec?.username ?? ''),
    text('RequestedDuration', 'How long the certificate shall be good.', ({ spec }) =>
      spec?.expirationSeconds === undefined ? none : formatHumanDuration(spec.expirationSeconds * 1000),
    ),
    text('Condition', 'What was decided and done.', conditionText),
  ],
  selectableFields: { 'spec.signerName': ({ spec }) => spec?.signerName ?? '' },
  initialStatus: {},
  prepare,
  validate,
});

/** What was asked for stays: who asked was written into it by the server. */
function prepare(object: CertificateSigningRequest, old: CertificateSigningRequest | undefined): void {
  if (old?.spec !== undefined) object.spec = structuredClone(old.spec);
}

function conditionText({ status = {} }: CertificateSigningRequest): string {
  const has = (wanted: string): boolean => (status.conditions ?? []).some(({ type }) => type === wanted);
  const decision = has('Denied') ? 'Denied' : has('Approved') ? 'Approved' : 'Pending';
  return [decision, ...(has('Failed') ? ['Failed'] : []), ...(status.certificate ? ['Issued'] : [])].join(',');
}

const secondsLeast = 600;

function* validate({ spec = {}, status = {} }: CertificateSigningRequest): Faults {
  const { request = '', usages = [], signerName = '', expirationSeconds: seconds } = spec;
  if (!isRequest(request)) yield invalid('spec.request', request, 'PEM block type must be CERTIFICATE REQUEST');
  if (usages.length === 0) yield required('spec.usages');
  const repeated = usages.find((usage, index) => usages.indexOf(usage) !== index);
  if (repeated !== undefined) yield duplicate(`spec.usages[${String(usages.lastIndexOf(repeated))}]`, repeated);
  if (signerName === '') yield required('spec.signerName');
  else if (!/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?\/[^/]+$/.test(signerName))
    yield invalid(
      'spec.signerName',
      signerName,
      'must be a fully qualified domain and path of the form "example.com/signer-name"',
    );
  if (seconds !== undefined && seconds < secondsLeast)
    yield invalid('spec.expirationSeconds', seconds, 'may not specify a duration less than 600 seconds (10 minutes)');
  const types = (status.conditions ?? []).map(({ type }) => type);
  if (types.includes('Approved') && types.includes('Denied'))
    yield invalid('status.conditions', status.conditions, 'Approved and Denied conditions are mutually exclusive');
}

function isRequest(base64: string): boolean {
  try {
    return /^-----BEGIN CERTIFICATE REQUEST-----\s[^]*-----END CERTIFICATE REQUEST-----\s*$/.test(atob(base64));
  } catch {
    return false;
  }
}
