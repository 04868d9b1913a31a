import { messageOf } from '#base/errors.ts';
import { celProgram } from '#kube/cel/cel-program.ts';
import type { Resource } from '#kube/resource.ts';
import { ApiError, badRequest } from '#kube/status.ts';
import type { ValidatingWebhook } from '#kube/types/gen/admissionregistration-v1.ts';

import type { Objects } from '../../auth/objects.ts';
import type { AdmissionRequest } from '../admission.ts';
import { conditionsHold, requestVariables } from '../policies/policy-variables.ts';
import { refusal } from '../refusal.ts';
import { denial, readVerdict, reviewOf, type Verdict } from './admission-review.ts';
import { webhookTarget, type CallWebhook } from './call-webhook.ts';
import { isExempt, matchesLabelsOf, matchesRules, type Matcher } from './match-rules.ts';

/** The parts that both kinds of webhooks have. */
export type Webhook = Omit<ValidatingWebhook, 'namespaceSelector' | 'objectSelector'> & Matcher;

export interface Asking {
  readonly objects: Objects;
  readonly call: CallWebhook;
}

const defaultTimeoutSeconds = 10;

/**
 * Whether a webhook is asked about a request. When its conditions cannot be told, it is not asked if it ignores failures;
 * otherwise throws ApiError Forbidden.
 */
export async function isWanted(
  { objects }: Asking,
  webhook: Webhook,
  request: AdmissionRequest,
  signal: AbortSignal,
): Promise<boolean> {
  if (isExempt(request) || !matchesRules(webhook, request)) return false;
  const namespace = await namespaceOf(objects, request, signal);
  if (!matchesLabelsOf(webhook, request, namespace)) return false;
  const { matchConditions = [], failurePolicy } = webhook;
  if (matchConditions.length === 0) return true;
  try {
    const conditions = matchConditions.map(({ name = '', expression = '' }) => ({
      name,
      program: celProgram(expression),
    }));
    return conditionsHold(conditions, requestVariables(request, namespace, undefined));
  } catch (error) {
    if (failurePolicy === 'Ignore') return false;
    throw refusal(request, `webhook ${JSON.stringify(webhook.name ?? '')}: ${messageOf(error)}`);
  }
}

/**
 * Asks a webhook; undefined when it did not answer and its failurePolicy is Ignore. Throws ApiError: a refusal, InternalError
 * when it did not answer, BadRequest for a dry run that it does not support.
 */
export async function askWebhook(
  { objects, call }: Asking,
  webhook: Webhook,
  request: AdmissionRequest,
  signal: AbortSignal,
): Promise<Verdict | undefined> {
  const name = webhook.name ?? '';
  if (request.isDryRun && !['None', 'NoneOnDryRun'].includes(webhook.sideEffects ?? ''))
    throw badRequest(`admission webhook ${JSON.stringify(name)} does not support dry run`);
  const verdict = await verdictOf({ objects, call }, webhook, request, signal).catch((error: unknown) => {
    signal.throwIfAborted();
    if (webhook.failurePolicy === 'Ignore') return undefined;
    const text = `failed calling webhook ${JSON.stringify(name)}: failed to call webhook: ${messageOf(error)}`;
    throw new ApiError('InternalError', `Internal error occurred: ${text}`, undefined, error);
  });
  if (verdict === undefined) {
    request.annotate(`failed-open.webhook.admission.k8s.io/${name}`, name);
    return undefined;
  }
  for (const warning of verdict.warnings) request.warn(warning);
  for (const [key, value] of Object.entries(verdict.annotations)) request.annotate(`${name}/${key}`, value);
  if (!verdict.isAllowed) throw denial(name, verdict.status);
  return verdict;
}

async function verdictOf(
  { objects, call }: Asking,
  webhook: Webhook,
  request: AdmissionRequest,
  signal: AbortSignal,
): Promise<Verdict> {
  if (!(webhook.admissionReviewVersions ?? []).includes('v1'))
    throw new Error('it takes no AdmissionReview of version v1, the only one of this server');
  const { uid, review } = reviewOf(request);
  const target = await webhookTarget(webhook.clientConfig ?? {}, objects, signal);
  const timeoutMs = (webhook.timeoutSeconds ?? defaultTimeoutSeconds) * 1000;
  try {
    return readVerdict(await call(target, review, timeoutMs, signal), uid);
  } catch (error) {
    throw new Error(`Post "${target.url.href}": ${messageOf(error)}`, { cause: error });
  }
}

async function namespaceOf(
  objects: Objects,
  { namespace }: AdmissionRequest,
  signal: AbortSignal,
): Promise<Resource | undefined> {
  return namespace === '' ? undefined : await objects.get({ group: '', resource: 'namespaces' }, '', namespace, signal);
}
