import { organizationsOf } from '#formats/x509/name.ts';
import { objectOf, objectsOf, textOf } from '#kube/fields.ts';
import type { CertificateSigningRequest } from '#kube/types/gen/certificates-v1.ts';
import { openSigningRequest } from '#pki/signing-request.ts';

import type { Authorizer } from '../../auth/authorizer.ts';
import type { AdmissionPlugin, AdmissionRequest } from '../admission.ts';
import { refusal } from '../refusal.ts';

const group = 'certificates.k8s.io';
const requests = 'certificatesigningrequests';
const clientSigner = 'kubernetes.io/kube-apiserver-client';

/** Approves only who may `approve` for the signer. */
export function certificateApproval(authorizer: Authorizer): AdmissionPlugin {
  return {
    name: 'CertificateApproval',
    validate: (request) => {
      if (request.operation !== 'UPDATE' || !isPart(request, 'approval')) return;
      const signer = signerOf(request.oldObject);
      if (maySign('approve', signer, request, authorizer)) return;
      throw refusal(request, `user not permitted to approve requests with signerName ${JSON.stringify(signer)}`);
    },
  };
}

/** Gives certificates only who may `sign` for the signer. */
export function certificateSigning(authorizer: Authorizer): AdmissionPlugin {
  return {
    name: 'CertificateSigning',
    validate: (request) => {
      if (request.operation !== 'UPDATE' || !isPart(request, 'status')) return;
      const [status, old] = [objectOf(request.object?.['status']), objectOf(request.oldObject?.['status'])];
      const failures = (from: typeof status): string =>
        JSON.stringify(objectsOf(from['conditions']).filter(({ type }) => type === 'Failed'));
      if (textOf(status['certificate']) === textOf(old['certificate']) && failures(status) === failures(old)) return;
      const signer = signerOf(request.oldObject);
      if (maySign('sign', signer, request, authorizer)) return;
      throw refusal(request, `user not permitted to sign requests with signerName ${JSON.stringify(signer)}`);
    },
  };
}

/** Notes who asks, which nobody may say himself; nobody gets a certificate as one of the masters. */
export function certificateSubjectRestriction(): AdmissionPlugin {
  return {
    name: 'CertificateSubjectRestriction',
    mutate: (request) => {
      if (request.operation === 'CREATE' && isPart(request, '')) noteUser(request);
    },
    validate: (request) => {
      if (request.operation !== 'CREATE' || !isPart(request, '') || signerOf(request.object) !== clientSigner) return;
      const text = textOf(objectOf(request.object?.['spec'])['request']);
      if (!hasMasters(Buffer.from(text, 'base64').toString('latin1'))) return;
      throw refusal(request, `use of ${clientSigner} signer with system:masters group is not allowed`);
    },
  };
}

function noteUser(request: AdmissionRequest): void {
  const csr = request.object as CertificateSigningRequest;
  const { name, uid, groups, extra } = request.user;
  const spec: NonNullable<CertificateSigningRequest['spec']> = { ...csr.spec, username: name, groups: [...groups] };
  delete spec.uid;
  delete spec.extra;
  if (uid !== '') spec.uid = uid;
  if (Object.keys(extra).length > 0)
    spec.extra = Object.fromEntries(Object.entries(extra).map(([key, values]) => [key, [...values]]));
  csr.spec = spec;
}

/** What is no request is refused by its validation. */
function hasMasters(pem: string): boolean {
  try {
    return organizationsOf(openSigningRequest(pem).subject).includes('system:masters');
  } catch {
    return false;
  }
}

function maySign(verb: string, signer: string, { user }: AdmissionRequest, authorizer: Authorizer): boolean {
  return [signer, `${signer.split('/')[0] ?? ''}/*`].some((name) => {
    const on = { group, version: '*', resource: 'signers', subresource: '', namespace: '', name };
    return authorizer.authorize({ type: 'resource', user, verb, ...on }).verdict === 'allow';
  });
}

function signerOf(csr: AdmissionRequest['object']): string {
  return textOf(objectOf(csr?.['spec'])['signerName']);
}

function isPart({ resource, subresource }: AdmissionRequest, part: string): boolean {
  return resource.group === group && resource.resource === requests && subresource === part;
}
