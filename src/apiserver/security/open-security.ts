import type { ClusterPki } from '#pki/cluster-pki.ts';

import type { AdmissionPlugin } from '../admission/admission.ts';
import { builtInAdmission } from '../admission/built-in-admission.ts';
import { PolicyIndex } from '../admission/policies/policy-index.ts';
import type { ResolveKind } from '../admission/policies/policy-params.ts';
import { validatingPolicies } from '../admission/policies/validating-policies.ts';
import { runQuotas } from '../admission/quota/quota-controller.ts';
import { callWebhook } from '../admission/webhooks/call-webhook.ts';
import { WebhookIndex } from '../admission/webhooks/webhook-index.ts';
import { mutatingWebhooks, validatingWebhooks } from '../admission/webhooks/webhooks.ts';
import type { Objects } from '../auth/objects.ts';
import { openAuth, type Auth } from '../auth/open-auth.ts';
import { FlowControl } from '../flowcontrol/flow-control.ts';
import { keepFlowControl } from '../flowcontrol/keep-flow-control.ts';
import { startCertificateCleaner } from './certificate-cleaner.ts';
import { runSigner } from './certificate-signer.ts';
import { makeDefaults, runNamespaceDefaults } from './namespace-defaults.ts';
import { createSystemPriorityClasses } from './system-priority-classes.ts';
import { runTokenSecrets } from './token-secrets.ts';

export interface SecurityOptions {
  readonly objects: Objects;
  readonly pki: Pick<ClusterPki, 'authority' | 'authorityPem' | 'serviceAccountKey'>;
  /** Where others reach the server, such as https://10.0.0.1:6443. */
  readonly serverUrl: string;
  /** Kinds as resources, for parameters of policies. */
  readonly resolveKind: ResolveKind;
  readonly nowMs: () => number;
  /** Told of what goes wrong in the background; it goes on. */
  readonly onError: (error: unknown) => void;
}

/** What was made of the store and the keys. */
export interface Security {
  readonly auth: Auth;
  readonly plugins: readonly AdmissionPlugin[];
  readonly flowControl: FlowControl;
}

/** Issuer and audience of service-account tokens. */
const tokenIssuer = 'https://kubernetes.default.svc.cluster.local';

/** Namespaces in which pods are made before anything has had time to follow. */
const firstNamespaces = ['default', 'kube-system'];

/**
 * All that decides who may do what: authentication, authorization, admission, and the controllers that they need (default
 * accounts, tokens in secrets, signing of certificates, quotas), which run until the signal aborts. Resolves when decisions are as the store says.
 */
export async function openSecurity(
  { objects, pki, serverUrl, resolveKind, nowMs, onError }: SecurityOptions,
  signal: AbortSignal,
): Promise<Security> {
  const auth = openAuth({
    objects,
    authorities: [pki.authority.certificate],
    serviceAccountKey: pki.serviceAccountKey,
    issuer: tokenIssuer,
    serverUrl,
    nowMs,
    onError,
  });
  const webhooks = new WebhookIndex();
  const policies = new PolicyIndex();
  await Promise.all([
    auth.start(signal),
    webhooks.follow(objects, onError, signal),
    policies.follow(objects, onError, signal),
  ]);
  const flowControl = new FlowControl();
  await keepFlowControl({ objects, control: flowControl, nowMs, onError }, signal);
  await createSystemPriorityClasses(objects, signal);
  for (const namespace of firstNamespaces) await makeDefaults(objects, namespace, pki.authorityPem, signal);
  const { authorizer, rbac } = auth;
  const background = [
    runNamespaceDefaults(objects, pki.authorityPem, onError, signal),
    runSigner({ objects, authority: pki.authority, authorizer, nowMs, onError }, signal),
    runQuotas({ objects, nowMs, onError }, signal),
    runTokenSecrets({ objects, key: pki.serviceAccountKey, authorityPem: pki.authorityPem, onError }, signal),
  ];
  for (const running of background) running.catch((error: unknown) => (signal.aborted ? undefined : onError(error)));
  startCertificateCleaner(objects, nowMs, onError, signal);
  const asking = { objects, call: callWebhook };
  const extensions = [
    mutatingWebhooks(webhooks, asking),
    validatingPolicies(policies, { objects, resolveKind }),
    validatingWebhooks(webhooks, asking),
  ];
  return { auth, flowControl, plugins: builtInAdmission({ objects, authorizer, rbac, nowMs, extensions }) };
}
