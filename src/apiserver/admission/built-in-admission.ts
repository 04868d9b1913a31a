import type { Authorizer } from '../auth/authorizer.ts';
import type { Objects } from '../auth/objects.ts';
import type { RbacIndex } from '../auth/rbac/rbac-index.ts';
import type { AdmissionPlugin } from './admission.ts';
import { certificateApproval, certificateSigning, certificateSubjectRestriction } from './plugins/certificates.ts';
import { defaultTolerationSeconds } from './plugins/default-toleration-seconds.ts';
import { limitRanger } from './plugins/limit-ranger.ts';
import { namespaceLifecycle } from './plugins/namespace-lifecycle.ts';
import { nodeRestriction } from './plugins/node-restriction.ts';
import { priority } from './plugins/priority.ts';
import { roleEscalation } from './plugins/role-escalation.ts';
import { runtimeClass } from './plugins/runtime-class.ts';
import { serviceAccount } from './plugins/service-account.ts';
import { defaultIngressClass, defaultStorageClass, persistentVolumeClaimResize } from './plugins/storage-class.ts';
import { taintNodesByCondition } from './plugins/taint-nodes.ts';
import { podSecurity } from './pod-security/pod-security.ts';
import { resourceQuota } from './quota/resource-quota.ts';

export interface BuiltInOptions {
  readonly objects: Objects;
  readonly authorizer: Authorizer;
  readonly rbac: RbacIndex;
  readonly nowMs: () => number;
  /** Webhooks and policies of users, which come after the others and before quotas. */
  readonly extensions: readonly AdmissionPlugin[];
}

/** The plugins that kube-apiserver 1.34 has by default, in its order; `admissionChain` makes one of them. */
export function builtInAdmission({
  objects,
  authorizer,
  rbac,
  nowMs,
  extensions,
}: BuiltInOptions): readonly AdmissionPlugin[] {
  return [
    namespaceLifecycle(objects),
    limitRanger(objects),
    serviceAccount(objects),
    nodeRestriction(objects),
    taintNodesByCondition(),
    podSecurity(objects),
    priority(objects),
    defaultTolerationSeconds(),
    defaultStorageClass(objects),
    persistentVolumeClaimResize(objects),
    runtimeClass(objects),
    certificateApproval(authorizer),
    certificateSigning(authorizer),
    certificateSubjectRestriction(),
    defaultIngressClass(objects),
    roleEscalation(rbac, authorizer),
    ...extensions,
    resourceQuota(objects, nowMs),
  ];
}
