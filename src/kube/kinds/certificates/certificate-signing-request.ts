import { formatHumanDuration } from '#formats/human-duration.ts';

import { ageColumn, nameColumn, text } from '../../printing/columns.ts';
import { none } from '../../printing/labels.ts';
import type { CertificateSigningRequest } from '../../types/gen/certificates-v1.ts';
import { defineKind, part } from '../define-kind.ts';

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
});

function conditionText({ status = {} }: CertificateSigningRequest): string {
  const has = (wanted: string): boolean => (status.conditions ?? []).some(({ type }) => type === wanted);
  const decision = has('Denied') ? 'Denied' : has('Approved') ? 'Approved' : 'Pending';
  return [decision, ...(has('Failed') ? ['Failed'] : []), ...(status.certificate ? ['Issued'] : [])].join(',');
}
