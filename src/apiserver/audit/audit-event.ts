import type { Status } from '#kube/status.ts';

import { userJson } from '../auth/reviews/identity-review.ts';
import type { Attributes } from '../auth/authorizer.ts';
import type { Identity } from '../auth/open-auth.ts';
import type { AuditDecision, AuditStage } from './audit-policy.ts';

/** What is known of a request when it has come. */
export interface AuditedRequest {
  readonly id: string;
  readonly attributes: Attributes;
  readonly identity: Identity;
  /** With the query. */
  readonly uri: string;
  readonly sourceAddress: string;
  readonly userAgent: string;
  readonly receivedMs: number;
}

/** What is known of it later. */
export interface AuditedAnswer {
  readonly code: number;
  /** Of a failure. */
  readonly status?: Status;
  /** In place of the status' own. */
  readonly message?: string;
  readonly requestObject?: unknown;
  readonly responseObject?: unknown;
}

const textLengthMost = 1024;

/** An event of audit.k8s.io/v1 as JSON. */
export function auditEvent(
  stage: AuditStage,
  decision: AuditDecision,
  request: AuditedRequest,
  answer: AuditedAnswer | undefined,
  annotations: Readonly<Record<string, string>>,
  nowMs: number,
): Record<string, unknown> {
  const { level, omitManagedFields } = decision;
  const { attributes, identity } = request;
  const hasRequest = level === 'Request' || level === 'RequestResponse';
  const cleaned = (object: unknown): unknown => (omitManagedFields ? withoutManagedFields(object) : object);
  return {
    kind: 'Event',
    apiVersion: 'audit.k8s.io/v1',
    level,
    auditID: request.id,
    stage,
    requestURI: request.uri.slice(0, textLengthMost),
    verb: attributes.verb,
    user: identity.actor.name === '' ? {} : userJson(identity.actor),
    ...(identity.user === identity.actor ? {} : { impersonatedUser: userJson(identity.user) }),
    sourceIPs: [request.sourceAddress],
    userAgent: request.userAgent.slice(0, textLengthMost),
    ...(attributes.type === 'path' ? {} : { objectRef: reference(attributes) }),
    ...(answer === undefined ? {} : { responseStatus: responseStatus(answer) }),
    ...(hasRequest && answer?.requestObject !== undefined ? { requestObject: cleaned(answer.requestObject) } : {}),
    ...(level === 'RequestResponse' && answer?.responseObject !== undefined
      ? { responseObject: cleaned(answer.responseObject) }
      : {}),
    requestReceivedTimestamp: microTime(request.receivedMs),
    stageTimestamp: microTime(nowMs),
    ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
  };
}

function reference(attributes: Attributes & { readonly type: 'resource' }): Record<string, string> {
  const { resource, namespace, name, group, version, subresource } = attributes;
  const parts = { resource, namespace, name, apiGroup: group, apiVersion: version, subresource };
  return Object.fromEntries(Object.entries(parts).filter(([, value]) => value !== ''));
}

function responseStatus({ code, status, message }: AuditedAnswer): Record<string, unknown> {
  const parts = { status: status?.status, message: message ?? status?.message, reason: status?.reason };
  return {
    metadata: {},
    ...Object.fromEntries(Object.entries(parts).filter(([, value]) => value !== undefined)),
    code,
  };
}

function withoutManagedFields(object: unknown): unknown {
  const { metadata, items, ...rest } = object as { metadata?: Record<string, unknown>; items?: unknown };
  const { managedFields: _, ...kept } = metadata ?? {};
  return {
    ...rest,
    ...(metadata === undefined ? {} : { metadata: kept }),
    ...(Array.isArray(items) ? { items: items.map(withoutManagedFields) } : {}),
  };
}

function microTime(timeMs: number): string {
  return new Date(timeMs).toISOString().replace('Z', '000Z');
}
