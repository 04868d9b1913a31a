import { monotonicMs, nowMs } from '#base/clock.ts';
import { messageOf } from '#base/errors.ts';
import type { Logger } from '#base/logger.ts';
import { ApiError, statusOf } from '#kube/status.ts';

import type { AuditLog } from '../audit/audit-log.ts';
import { forbiddenError } from '../auth/forbidden-text.ts';
import type { Auth } from '../auth/open-auth.ts';
import type { UserInfo } from '../auth/user.ts';
import type { Flow, FlowControl } from '../flowcontrol/flow-control.ts';
import { auditedCall, auditUnauthenticated, type AuditedCall } from './audited-call.ts';
import { jsonReply, type Call, type Reply } from './call.ts';
import type { Exchange, Headers } from './exchange.ts';
import type { LiveRequests } from './live-requests.ts';
import type { RequestMetrics } from './metrics.ts';
import { parseRequest, type RequestInfo } from './request-info.ts';
import { attributesOf } from './request-attributes.ts';
import { sendReply } from './send-reply.ts';

/** How requests are answered once it is known who sent them and that they may. */
export type Respond = (call: Call, signal: AbortSignal) => Promise<Reply>;

export interface Serving {
  readonly auth: Pick<Auth, 'identify' | 'authorizer'>;
  readonly flowControl: FlowControl;
  readonly respond: Respond;
  /** Of connections, which are asked for it once. */
  readonly certificates: WeakMap<object, Uint8Array>;
  readonly metrics: RequestMetrics;
  readonly logger: Logger;
  /** Undefined: nobody wants to know. */
  readonly audit: AuditLog | undefined;
  readonly live: LiveRequests;
}

const bodyBytesMost = 3 * 1024 * 1024;
/** Requests that last as long as their client wants. */
const longSubresources = new Set(['log', 'exec', 'attach', 'portforward', 'proxy']);
const warningLengthMost = 4096;

/** Answers one request, whatever becomes of it; never rejects. */
export async function serveRequest(serving: Serving, exchange: Exchange): Promise<void> {
  let flow: Flow | undefined;
  const audit: Audited = { call: undefined, body: undefined };
  using live = serving.live.begin(exchange);
  const { signal, startMs } = live;
  try {
    const [call, ofCall] = await admit(serving, exchange, audit, signal);
    flow = ofCall;
    live.isStream = isLongRunning(call.info);
    using _ = live.isStream ? undefined : await serving.flowControl.enter(ofCall, signal);
    const reply = await serving.respond(call, signal);
    observe(serving, call.info, reply.status, live.isStream ? undefined : startMs);
    const headers = headersOf(audit, flow);
    const warned = call.warnings.size > 0 ? { ...headers, warning: warningsOf(call.warnings) } : headers;
    if (reply.kind === 'stream') audit.call?.started(reply.status);
    await sendReply(exchange, reply, warned, signal);
    await audit.call?.completed(reply, audit.body);
  } catch (error) {
    const reply = errorReply(serving, exchange, live.why ?? error);
    if (!exchange.isGone) {
      observe(serving, undefined, reply.status, startMs);
      await sendReply(exchange, reply, headersOf(audit, flow), signal).catch(() => {});
    }
    await audit.call?.completed(reply, audit.body);
  }
}

function headersOf({ call }: Audited, flow: Flow | undefined): Headers {
  return {
    'cache-control': 'no-cache, private',
    ...(call === undefined ? {} : { 'audit-id': call.id }),
    ...(flow === undefined ? {} : flowHeaders(flow)),
  };
}

function observe({ metrics }: Serving, info: RequestInfo | undefined, code: number, startMs: number | undefined): void {
  const seconds = startMs === undefined ? undefined : (monotonicMs() - startMs) / 1000;
  const resource =
    info?.type === 'resource' ? [info.resource, info.subresource].filter((one) => one !== '').join('/') : '';
  metrics.observe(info?.verb ?? '', resource, code, seconds);
}

/** Of requests whose sender is not known yet. */
const nobody: UserInfo = { name: '', uid: '', groups: [], extra: {} };

/** What the audit log gets of a request, as far as it has come. */
interface Audited {
  call: AuditedCall | undefined;
  body: Promise<Buffer> | undefined;
}

/** Finds out who asks, and refuses who may not. */
async function admit(
  serving: Serving,
  exchange: Exchange,
  audited: Audited,
  signal: AbortSignal,
): Promise<readonly [Call, Flow]> {
  const { auth, audit } = serving;
  const [path = '/', search = ''] = splitTarget(exchange.target);
  const query = new URLSearchParams(search);
  const info = parseRequest(exchange.method, path, query);
  const credentials = { headers: exchange.headers, clientCertificate: clientCertificateOf(serving, exchange), path };
  const receivedMs = nowMs();
  let actor = nobody;
  const identity = await (exchange.caller === undefined ? auth : known(exchange.caller))
    .identify({ ...credentials, onActor: (found) => (actor = found) }, signal)
    .catch((error: unknown) => {
      if (audit === undefined) throw error;
      const asked = attributesOf(info, query, actor);
      const { clientCertificate } = credentials;
      // Who may not impersonate is known; who could not prove himself is not.
      if (actor !== nobody) audited.call = auditedCall(audit, exchange, asked, { user: actor, actor }, receivedMs);
      else auditUnauthenticated(audit, exchange, asked, clientCertificate !== undefined, receivedMs);
      throw error;
    });
  const { user } = identity;
  const attributes = attributesOf(info, query, user);
  if (audit !== undefined) audited.call = auditedCall(audit, exchange, attributes, identity, receivedMs);
  const { verdict, reason } = auth.authorizer.authorize(attributes);
  audited.call?.annotate('authorization.k8s.io/decision', verdict === 'allow' ? 'allow' : 'forbid');
  audited.call?.annotate('authorization.k8s.io/reason', reason);
  if (verdict !== 'allow') throw forbiddenError(attributes, reason);
  const call: Call = {
    exchange,
    info,
    path,
    query,
    user,
    warnings: new Set(),
    annotate: (key, value) => audited.call?.annotate(key, value),
    header: (name) => textOf(exchange.headers[name]),
    readBody: () => (audited.body ??= exchange.readBody(bodyBytesMost, signal)),
  };
  return [call, serving.flowControl.flowOf(attributes)];
}

function known(caller: UserInfo): Pick<Auth, 'identify'> {
  return { identify: async () => await Promise.resolve({ user: caller, actor: caller }) };
}

/** By them clients and administrators see where a request waited (apiserver, filters/priority-and-fairness.go). */
function flowHeaders({ schema, level }: Flow): Headers {
  return {
    'x-kubernetes-pf-flowschema-uid': schema.metadata.uid ?? '',
    'x-kubernetes-pf-prioritylevel-uid': level.uid,
  };
}

/** The certificate that was proved to be the client's, and comes from the cluster's authority; it is the connection's. */
function clientCertificateOf({ certificates }: Serving, { socket }: Exchange): Uint8Array | undefined {
  if (socket?.authorized !== true) return undefined;
  const known = certificates.get(socket) ?? socket.getPeerX509Certificate()?.raw;
  if (known !== undefined) certificates.set(socket, known);
  return known;
}

function isLongRunning(info: RequestInfo): boolean {
  return info.type === 'resource' && (info.verb === 'watch' || longSubresources.has(info.subresource));
}

function errorReply({ logger }: Serving, exchange: Exchange, error: unknown): Reply {
  const status = statusOf(error);
  // What fails because its client left is nobody's fault, and a webhook that fails is not ours.
  if (status.reason === 'InternalError' && !exchange.isGone && !(error instanceof ApiError))
    logger.error('request failed by a defect', {
      method: exchange.method,
      target: exchange.target,
      error: messageOf(error),
      stack: error instanceof Error ? error.stack : undefined,
    });
  const seconds = status.details?.retryAfterSeconds;
  const headers: Headers = seconds === undefined ? {} : { 'retry-after': String(seconds) };
  return jsonReply(status, status.code, headers);
}

/** RFC 7234 5.5: code, agent, quoted text; in bytes of UTF-8, as Node's texts in Latin-1. */
function warningsOf(warnings: ReadonlySet<string>): readonly string[] {
  let left = warningLengthMost;
  return [...warnings]
    .filter((text) => (left -= text.length) > 0)
    .map((text) => text.replaceAll(/[\\"]/g, String.raw`\$&`).replaceAll(/[^\x20-\x7e\x80-\uffff]/g, ' '))
    .map((text) => `299 - "${Buffer.from(text).toString('latin1')}"`);
}

function splitTarget(target: string): readonly string[] {
  const bare = target.replace(/^https?:\/\/[^/]*/, '');
  const at = bare.indexOf('?');
  return at < 0 ? [bare] : [bare.slice(0, at), bare.slice(at + 1)];
}

function textOf(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === 'string' || value === undefined ? value : value.join(',');
}
