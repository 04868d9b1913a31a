import { messageOf } from '#base/errors.ts';
import { keyUsages, purposes, type KeyUsage, type Purpose } from '#formats/x509/extensions.ts';
import { commonNameOf } from '#formats/x509/name.ts';
import type { CertificateRequest } from '#formats/x509/certificate-request.ts';
import type { CertificateSigningRequest, CertificateSigningRequestCondition } from '#kube/types/gen/certificates-v1.ts';
import { certificatePem, issueCertificate, type Authority } from '#pki/authority.ts';
import { leafLifetimeMs } from '#pki/certificates.ts';
import { openSigningRequest } from '#pki/signing-request.ts';

import type { Authorizer } from '../auth/authorizer.ts';
import type { Objects } from '../auth/objects.ts';
import { forEachPut } from './ensure.ts';
import { nodeClientSigner, signers } from './signers.ts';

export interface SignerOptions {
  readonly objects: Objects;
  readonly authority: Authority;
  readonly authorizer: Authorizer;
  readonly nowMs: () => number;
  readonly onError: (error: unknown) => void;
}

const requests = { group: 'certificates.k8s.io', resource: 'certificatesigningrequests' };
/** Shorter lives are not asked for (certificates.k8s.io/v1). */
const leastSeconds = 600;

/** Approves requests of nodes for themselves, and signs what is approved. Runs until the signal aborts. */
export async function runSigner(options: SignerOptions, signal: AbortSignal): Promise<void> {
  const { objects, onError } = options;
  await forEachPut(
    objects,
    requests,
    async (csr) => {
      const next = afterApproval(csr, options) ?? afterSigning(csr, options);
      if (next !== undefined) await objects.update(requests, next, signal);
    },
    onError,
    signal,
  );
}

/** The request with an approval, when it is a node's for a client certificate of its own; undefined otherwise. */
export function afterApproval(
  csr: CertificateSigningRequest,
  { authorizer, nowMs }: Pick<SignerOptions, 'authorizer' | 'nowMs'>,
): CertificateSigningRequest | undefined {
  const { spec = {} } = csr;
  if (spec.signerName !== nodeClientSigner || conditionsOf(csr).length > 0) return undefined;
  const request = readRequest(csr);
  if (typeof request === 'string' || signers[nodeClientSigner]?.(request, spec.usages ?? []) !== undefined)
    return undefined;
  const isOwn = spec.username === commonNameOf(request.subject);
  const user = { name: spec.username ?? '', uid: spec.uid ?? '', groups: spec.groups ?? [], extra: spec.extra ?? {} };
  const may = (subresource: string): boolean => {
    const on = { ...requests, version: 'v1', subresource, namespace: '', name: '' };
    return authorizer.authorize({ type: 'resource', user, verb: 'create', ...on }).verdict === 'allow';
  };
  if (!(isOwn && may('selfnodeclient')) && !may('nodeclient')) return undefined;
  const message = 'The requester may have client certificates of nodes.';
  return withCondition(csr, { type: 'Approved', reason: 'AutoApproved', message }, nowMs());
}

/** The request with its certificate or with the reason why it gets none; undefined when there is nothing to do. */
export function afterSigning(
  csr: CertificateSigningRequest,
  { authority, nowMs }: Pick<SignerOptions, 'authority' | 'nowMs'>,
): CertificateSigningRequest | undefined {
  const { spec = {}, status = {} } = csr;
  const rule = signers[spec.signerName ?? ''];
  const has = (type: string): boolean => conditionsOf(csr).some((one) => one.type === type);
  const isOpen = has('Approved') && !has('Denied') && !has('Failed') && (status.certificate ?? '') === '';
  if (rule === undefined || !isOpen) return undefined;
  const request = readRequest(csr);
  const reason = typeof request === 'string' ? request : rule(request, spec.usages ?? []);
  if (typeof request === 'string' || reason !== undefined)
    return withCondition(csr, { type: 'Failed', reason: 'SignerValidationFailure', message: reason ?? '' }, nowMs());
  const lifetimeMs = Math.min(Math.max(spec.expirationSeconds ?? Infinity, leastSeconds) * 1000, leafLifetimeMs);
  const usages = spec.usages ?? [];
  const certificate = issueCertificate(
    authority,
    {
      subject: request.subject,
      publicKey: request.publicKey,
      lifetimeMs,
      extensions: {
        ...request.extensions,
        keyUsages: usages.filter((usage): usage is KeyUsage => keyUsages.some((one) => one === usage)),
        purposes: usages.filter((usage): usage is Purpose => usage in purposes),
      },
    },
    nowMs(),
  );
  const text = Buffer.from(certificatePem(certificate)).toString('base64');
  return { ...csr, status: { ...status, certificate: text } };
}

function readRequest(csr: CertificateSigningRequest): CertificateRequest | string {
  try {
    return openSigningRequest(Buffer.from(csr.spec?.request ?? '', 'base64').toString('latin1'));
  } catch (error) {
    return messageOf(error);
  }
}

function conditionsOf({ status }: CertificateSigningRequest): readonly CertificateSigningRequestCondition[] {
  return status?.conditions ?? [];
}

function withCondition(
  csr: CertificateSigningRequest,
  condition: { readonly type: string; readonly reason: string; readonly message: string },
  nowMs: number,
): CertificateSigningRequest {
  const time = new Date(nowMs).toISOString().replace(/\.\d+/, '');
  const added = { ...condition, status: 'True', lastUpdateTime: time, lastTransitionTime: time };
  return { ...csr, status: { ...csr.status, conditions: [...conditionsOf(csr), added] } };
}
