import type { Auth } from '../auth/open-auth.ts';
import type { Discovery } from '../discovery/discovery.ts';
import type { OpenApi } from '../discovery/openapi.ts';
import { jsonReply, type Call, type Reply } from '../http/call.ts';
import { healthReply, type HealthCheck } from '../http/health.ts';
import { versionDocument } from '../http/version.ts';
import { notAllowed, unknownPath } from './refusals.ts';

export interface PathContext {
  readonly discovery: Discovery;
  readonly checks: readonly HealthCheck[];
  readonly metrics: () => Reply;
  readonly openApi: OpenApi;
  readonly auth: Pick<Auth, 'document'>;
}

/** Paths of the server itself, which name no objects. */
const rootPaths = [
  '/api',
  '/apis',
  '/healthz',
  '/livez',
  '/metrics',
  '/openapi/v2',
  '/openapi/v3',
  '/readyz',
  '/version',
];

/** Answers a request that is not for objects. */
export async function respondToPath(context: PathContext, call: Call, signal: AbortSignal): Promise<Reply> {
  if (!['get', 'head'].includes(call.info.verb)) throw notAllowed();
  const path = call.path.length > 1 ? call.path.replace(/\/$/, '') : call.path;
  if (path === '/') return jsonReply({ paths: rootPaths });
  if (path === '/version') return jsonReply(versionDocument());
  if (path === '/metrics') return context.metrics();
  const document = context.auth.document(path);
  if (document !== undefined) return jsonReply(document);
  if (path.startsWith('/openapi/')) return context.openApi.reply(call) ?? unknownPath();
  return (await healthReply(call, context.checks, signal)) ?? context.discovery.reply(call) ?? unknownPath();
}
