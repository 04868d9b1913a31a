import type { CertificateRequest } from '#formats/x509/certificate-request.ts';
import { commonNameOf, organizationsOf } from '#formats/x509/name.ts';

const clientUsages = ['client auth', 'digital signature', 'key encipherment'];
const servingUsages = ['server auth', 'digital signature', 'key encipherment'];

/** Says why a signer does not sign a request; undefined when it does. */
type SignerRule = (request: CertificateRequest, usages: readonly string[]) => string | undefined;

/** The signers of certificates.k8s.io that this cluster's authority stands behind. */
export const signers: Readonly<Record<string, SignerRule>> = {
  'kubernetes.io/kube-apiserver-client': (request, usages) => {
    if (organizationsOf(request.subject).includes('system:masters'))
      return 'organization "system:masters" is not signed';
    return usagesReason(usages, ['client auth'], clientUsages);
  },
  'kubernetes.io/kube-apiserver-client-kubelet': (request, usages) =>
    nodeReason(request) ??
    namesReason(request, false) ??
    usagesReason(usages, ['digital signature', 'client auth'], clientUsages),
  'kubernetes.io/kubelet-serving': (request, usages) =>
    nodeReason(request) ??
    namesReason(request, true) ??
    usagesReason(usages, ['digital signature', 'server auth'], servingUsages),
  'kubernetes.io/legacy-unknown': () => undefined,
};

export const nodeClientSigner = 'kubernetes.io/kube-apiserver-client-kubelet';

function nodeReason({ subject }: CertificateRequest): string | undefined {
  const organizations = organizationsOf(subject);
  if (organizations.length !== 1 || organizations[0] !== 'system:nodes')
    return 'subject organization is not system:nodes';
  return commonNameOf(subject).startsWith('system:node:')
    ? undefined
    : 'subject common name does not begin with system:node: ';
}

function namesReason({ extensions }: CertificateRequest, mustHave: boolean): string | undefined {
  const { dnsNames, ipAddresses, emails, uris } = extensions;
  if (emails.length > 0) return 'email subjectAltNames are not allowed';
  if (uris.length > 0) return 'URI subjectAltNames are not allowed';
  const hasNames = dnsNames.length + ipAddresses.length > 0;
  if (mustHave) return hasNames ? undefined : 'DNS or IP subjectAltName is required';
  if (dnsNames.length > 0) return 'DNS subjectAltNames are not allowed';
  return ipAddresses.length > 0 ? 'IP subjectAltNames are not allowed' : undefined;
}

function usagesReason(
  usages: readonly string[],
  needed: readonly string[],
  allowed: readonly string[],
): string | undefined {
  if (!needed.every((usage) => usages.includes(usage)))
    return `usages must have ${needed.map((usage) => JSON.stringify(usage)).join(' and ')}`;
  const foreign = usages.find((usage) => !allowed.includes(usage));
  return foreign === undefined ? undefined : `usage ${JSON.stringify(foreign)} is not allowed`;
}
