import type { AdmissionRequest } from '#apiserver/admission/admission.ts';

/** A create of a Pod by an administrator, with what the test says differently; warnings and annotations are kept. */
export function admissionRequest(
  parts: Partial<AdmissionRequest>,
): AdmissionRequest & { readonly warnings: string[]; readonly annotations: Record<string, string> } {
  const warnings: string[] = [];
  const annotations: Record<string, string> = {};
  return {
    operation: 'CREATE',
    kind: { group: '', version: 'v1', kind: 'Pod' },
    resource: { group: '', version: 'v1', resource: 'pods' },
    subresource: '',
    namespace: 'default',
    name: '',
    object: undefined,
    oldObject: undefined,
    options: { apiVersion: 'meta.k8s.io/v1', kind: 'CreateOptions' },
    isDryRun: false,
    user: { name: 'admin', uid: '', groups: ['system:masters', 'system:authenticated'], extra: {} },
    warn: (text) => void warnings.push(text),
    annotate: (key, value) => {
      annotations[key] = value;
    },
    ...parts,
    warnings,
    annotations,
  };
}
