import type { Context } from '../context.ts';
import type { Call } from '../http/call.ts';
import type { Reply } from '../http/reply.ts';
import { handover } from '../http/reply.ts';
import type { Route } from '../http/route.ts';
import { buildStatus } from './build-status.ts';
import { type BuildKit, controlMethods } from './control-methods.ts';
import { ContextStore } from './files/context-store.ts';
import { gatewayMethods } from './gateway-methods.ts';
import { type GrpcService, serveGrpc } from './grpc/serve-grpc.ts';
import { ClientSession, sessionHeaders } from './session/client-session.ts';
import { Sessions } from './session/sessions.ts';
import { Builds } from './solve/builds.ts';

/** BuildKit's two doors: calls of the client to us (`/grpc`), and of us to the client (`/session`). */
export function buildKitRoutes(context: Context): readonly Route[] {
  const sessions = new Sessions();
  const contexts = new ContextStore(context.uploads);
  const buildKit: BuildKit = { ...context, sessions, contexts, builds: new Builds() };
  const methods = { ...controlMethods(buildKit), ...gatewayMethods(buildKit) };
  const service: GrpcService = { methods, statusOf: buildStatus, logger: context.logger };
  return [
    { method: 'POST', path: '/session', handle: (call) => openSession(sessions, call), hijacks: true },
    {
      method: 'POST',
      path: '/grpc',
      handle: () => handover('h2c', (socket, signal) => serveGrpc(socket, service, signal)),
      hijacks: true,
    },
  ];
}

function openSession(sessions: Sessions, call: Call): Reply {
  const headers = sessionHeaders((name) => call.header(name));
  sessions.checkFree(headers.id);
  return handover('h2c', (socket, signal) => sessions.serve(new ClientSession(headers, socket), signal));
}
