import { messageOf } from '#base/errors.ts';
import { ApiError, statusReasons, type StatusReason } from '#kube/status.ts';
import type { MatchResources } from '#kube/types/gen/admissionregistration-v1.ts';
import type { Resource } from '#kube/resource.ts';

import type { Objects } from '../../auth/objects.ts';
import type { AdmissionPlugin, AdmissionRequest } from '../admission.ts';
import { refusal } from '../refusal.ts';
import { isExempt, matchesLabelsOf, matchesRules } from '../webhooks/match-rules.ts';
import { evaluatePolicy, type Violation } from './evaluate-policy.ts';
import type { BoundPolicy, PolicyIndex } from './policy-index.ts';
import { paramsOf, type ResolveKind } from './policy-params.ts';
import { conditionsHold, requestVariables } from './policy-variables.ts';

export interface PolicyOptions {
  readonly objects: Objects;
  readonly resolveKind: ResolveKind;
}

/** ValidatingAdmissionPolicies: expressions over what is written, without a server of one's own. */
export function validatingPolicies(index: PolicyIndex, options: PolicyOptions): AdmissionPlugin {
  return {
    name: 'ValidatingAdmissionPolicy',
    validate: async (request, signal) => {
      if (isExempt(request)) return;
      const bound = index.bound();
      if (bound.length === 0) return;
      const { namespace: name } = request;
      const namespace =
        name === '' ? undefined : await options.objects.get({ group: '', resource: 'namespaces' }, '', name, signal);
      for (const one of bound) {
        const isWanted =
          matches(one.policy.spec?.matchConstraints, request, namespace) &&
          matches(one.binding.spec?.matchResources, request, namespace);
        if (isWanted) await check(one, request, namespace, options, signal);
      }
    },
  };
}

async function check(
  bound: BoundPolicy,
  request: AdmissionRequest,
  namespace: Resource | undefined,
  options: PolicyOptions,
  signal: AbortSignal,
): Promise<void> {
  const { policy, compiled, binding } = bound;
  try {
    if (compiled === undefined) throw bound.error;
    const { paramKind } = policy.spec ?? {};
    const reference = binding.spec?.paramRef;
    const params =
      paramKind === undefined || reference === undefined
        ? [undefined]
        : await paramsOf(paramKind, reference, request, options, signal);
    for (const one of params) {
      const variables = requestVariables(request, namespace, one);
      if (!conditionsHold(compiled.conditions, variables)) continue;
      const { violations, auditAnnotations } = evaluatePolicy(compiled, variables);
      for (const [key, value] of Object.entries(auditAnnotations))
        request.annotate(`${policy.metadata.name ?? ''}/${key}`, value);
      for (const violation of violations) act(bound, request, violation);
    }
  } catch (error) {
    if (error instanceof ApiError) throw error;
    act(bound, request, {
      message: `failed to configure policy: ${messageOf(error)}`,
      reason: 'Invalid',
      isFailure: true,
    });
  }
}

/** What the binding wants done about a violation. A failure counts as the policy says. */
function act({ policy, binding }: BoundPolicy, request: AdmissionRequest, violation: Violation): void {
  if (violation.isFailure && policy.spec?.failurePolicy === 'Ignore') return;
  const [name, bindingName] = [policy.metadata.name ?? '', binding.metadata.name ?? ''];
  const actions = binding.spec?.validationActions ?? ['Deny'];
  if (actions.includes('Warn'))
    request.warn(
      `Validation failed for ValidatingAdmissionPolicy '${name}' with binding '${bindingName}': ${violation.message}`,
    );
  if (actions.includes('Audit')) {
    const note = { message: violation.message, policy: name, binding: bindingName, validationActions: actions };
    request.annotate('validation.policy.admission.k8s.io/validation_failure', JSON.stringify([note]));
  }
  if (!actions.includes('Deny')) return;
  const message = `ValidatingAdmissionPolicy '${name}' with binding '${bindingName}' denied request: ${violation.message}`;
  const error = refusal(request, message);
  const reason = violation.reason in statusReasons ? (violation.reason as StatusReason) : 'Invalid';
  throw new ApiError(reason, error.message, { ...error.details, causes: [{ reason: '', message }] });
}

/** Without constraints everything matches; what is excluded does not. */
function matches(
  constraints: MatchResources | undefined,
  request: AdmissionRequest,
  namespace: Resource | undefined,
): boolean {
  if (constraints === undefined) return true;
  const { resourceRules = [], excludeResourceRules = [] } = constraints;
  const among = (rules: NonNullable<MatchResources['resourceRules']>): boolean => {
    const named = rules.filter(
      ({ resourceNames = [] }) =>
        resourceNames.length === 0 || resourceNames.includes(request.name || (request.object?.metadata.name ?? '')),
    );
    return matchesRules({ ...constraints, rules: named }, request);
  };
  if (among(excludeResourceRules)) return false;
  return (resourceRules.length === 0 || among(resourceRules)) && matchesLabelsOf(constraints, request, namespace);
}
