import { randomUUID } from 'node:crypto';

import type { AuditedRequest } from '../audit/audit-event.ts';
import type { AuditLog, AuditTrail } from '../audit/audit-log.ts';
import type { Attributes } from '../auth/authorizer.ts';
import type { Identity } from '../auth/open-auth.ts';
import type { Status } from '#kube/status.ts';
import type { Reply } from './call.ts';
import type { Exchange } from './exchange.ts';

/** The way of one request through the audit log. */
export interface AuditedCall {
  /** As in the header Audit-ID of the answer. */
  readonly id: string;
  annotate(key: string, value: string): void;
  /** A stream has begun. */
  started(code: number): void;
  /** The answer was sent; `body` is what the client had sent, undefined when nobody read it. */
  completed(reply: Reply, body: Promise<Buffer> | undefined): Promise<void>;
}

/** Begins the audit of a request; undefined when the policy notes nothing of it. */
export function auditedCall(
  log: AuditLog,
  exchange: Exchange,
  attributes: Attributes,
  identity: Identity,
  receivedMs: number,
): AuditedCall | undefined {
  const request = requestOf(exchange, attributes, identity, receivedMs);
  const trail = log.begin(request);
  if (trail === undefined) return undefined;
  return {
    id: request.id,
    annotate: (key, value) => trail.annotate(key, value),
    started: (code) => trail.started(code),
    completed: async (reply, body) => trail.completed(await answerOf(trail, reply, body)),
  };
}

/** Notes a request that was refused with 401, and by what its sender wanted to be known. */
export function auditUnauthenticated(
  log: AuditLog,
  exchange: Exchange,
  attributes: Attributes,
  hasCertificate: boolean,
  receivedMs: number,
): void {
  const identity = { user: attributes.user, actor: attributes.user };
  const scheme = headerText(exchange, 'authorization').split(' ')[0]?.toLowerCase() ?? '';
  const tried = [...(scheme === 'basic' || scheme === 'bearer' ? [scheme] : []), ...(hasCertificate ? ['x509'] : [])];
  const message =
    tried.length === 0
      ? 'Authentication failed, no credentials provided'
      : `Authentication failed, attempted: ${tried.join(', ')}`;
  log.unauthenticated(requestOf(exchange, attributes, identity, receivedMs), { code: 401, message });
}

function requestOf(exchange: Exchange, attributes: Attributes, identity: Identity, receivedMs: number): AuditedRequest {
  const given = headerText(exchange, 'audit-id');
  return {
    id: given === '' || given.length > idLengthMost ? randomUUID() : given,
    attributes,
    identity,
    uri: exchange.target,
    sourceAddress: exchange.socket?.remoteAddress ?? '',
    userAgent: headerText(exchange, 'user-agent'),
    receivedMs,
  };
}

/** Of an Audit-ID that a proxy before us gave; longer ones are not taken. */
const idLengthMost = 64;

function headerText({ headers }: Exchange, name: string): string {
  return String(headers[name] ?? '');
}

/** Bodies that are JSON; those in protobuf and YAML are left out. */
async function answerOf(trail: AuditTrail, reply: Reply, body: Promise<Buffer> | undefined) {
  const sent = reply.kind === 'body' ? jsonOf(reply.body) : undefined;
  const isFailure = reply.status >= 400;
  const asked = trail.wantsRequest ? jsonOf((await body?.catch(() => undefined)) ?? '') : undefined;
  return {
    code: reply.status,
    ...(isFailure && isStatus(sent) ? { status: sent } : {}),
    ...(asked === undefined ? {} : { requestObject: asked }),
    ...(trail.wantsResponse && sent !== undefined ? { responseObject: sent } : {}),
  };
}

function jsonOf(body: Uint8Array | string): unknown {
  const text = typeof body === 'string' ? body : Buffer.from(body).toString('utf8');
  if (!text.startsWith('{')) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isStatus(value: unknown): value is Status {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'Status';
}
