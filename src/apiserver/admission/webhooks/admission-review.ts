import { randomUUID } from 'node:crypto';

import { isObject } from '#base/json.ts';
import { objectOf, textOf, textsOf } from '#kube/fields.ts';
import { ApiError, statusReasons, type StatusReason } from '#kube/status.ts';

import { userJson } from '../../auth/reviews/identity-review.ts';
import type { AdmissionRequest } from '../admission.ts';

/** What a webhook answered. */
export interface Verdict {
  readonly isAllowed: boolean;
  /** meta/v1 Status of a refusal. */
  readonly status: Readonly<Record<string, unknown>>;
  /** Operations of a JSON patch; undefined: none. */
  readonly patch: unknown;
  readonly warnings: readonly string[];
  readonly annotations: Readonly<Record<string, string>>;
}

const warningLengthMost = 256;

/** The question to a webhook (admission.k8s.io/v1 AdmissionReview). */
export function reviewOf(request: AdmissionRequest): { readonly uid: string; readonly review: object } {
  const uid = randomUUID();
  const { kind, resource, subresource, name, namespace, operation, user, object, oldObject } = request;
  const part = subresource === '' ? {} : { subResource: subresource, requestSubResource: subresource };
  const asked = {
    uid,
    kind,
    resource,
    ...part,
    requestKind: kind,
    requestResource: resource,
    ...(name === '' ? {} : { name }),
    ...(namespace === '' ? {} : { namespace }),
    operation,
    userInfo: userJson(user),
    object: object ?? null,
    oldObject: oldObject ?? null,
    dryRun: request.isDryRun,
    options: request.options,
  };
  return { uid, review: { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', request: asked } };
}

/** Throws Error with the reason when the answer is none. */
export function readVerdict(answer: unknown, uid: string): Verdict {
  const review = objectOf(answer);
  if (review['apiVersion'] !== 'admission.k8s.io/v1' || review['kind'] !== 'AdmissionReview')
    throw new Error(
      `expected webhook response of admission.k8s.io/v1, Kind=AdmissionReview, got ${textOf(review['apiVersion'])}, Kind=${textOf(review['kind'])}`,
    );
  const response = review['response'];
  if (!isObject(response)) throw new Error('webhook response was absent');
  if (response['uid'] !== uid)
    throw new Error(`expected response.uid=${JSON.stringify(uid)}, got ${JSON.stringify(response['uid'] ?? '')}`);
  const annotations = objectOf(response['auditAnnotations']);
  return {
    isAllowed: response['allowed'] === true,
    status: objectOf(response['status']),
    patch: patchOf(response),
    warnings: textsOf(response['warnings']).map((text) => text.slice(0, warningLengthMost)),
    annotations: Object.fromEntries(Object.entries(annotations).map(([key, value]) => [key, textOf(value)])),
  };
}

/** The refusal as its client gets it; a webhook may say code and reason, but none that means success. */
export function denial(webhook: string, status: Readonly<Record<string, unknown>>): ApiError {
  const start = `admission webhook ${JSON.stringify(webhook)} denied the request`;
  const [message, reason] = [textOf(status['message']), textOf(status['reason'])];
  const why = message === '' ? reason : message;
  const text = why === '' ? `${start} without explanation` : `${start}: ${why}`;
  return new ApiError(reasonOf(reason, status['code']), text);
}

function reasonOf(reason: string, code: unknown): StatusReason {
  if (reason in statusReasons) return reason as StatusReason;
  const found = Object.entries(statusReasons).find(([, row]) => row.code === code);
  return found === undefined ? 'BadRequest' : (found[0] as StatusReason);
}

function patchOf(response: Record<string, unknown>): unknown {
  const text = textOf(response['patch']);
  if (text === '') return undefined;
  if (response['patchType'] !== 'JSONPatch')
    throw new Error(`webhook returned response.patch but not response.patchType of JSONPatch`);
  return JSON.parse(Buffer.from(text, 'base64').toString('utf8')) as unknown;
}
