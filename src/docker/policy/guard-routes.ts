import { StatusError } from '#base/errors.ts';

import type { Context } from '../context.ts';
import type { Call } from '../http/call.ts';
import type { Reply } from '../http/reply.ts';
import type { Route } from '../http/route.ts';
import { maskSecrets } from './mask-secrets.ts';
import { guardCall } from './project-guard.ts';
import type { ProjectRole, Role } from './role.ts';
import { policyOf, type RoutePolicy } from './route-policies.ts';

/** The endpoints as the clients of a socket see them. What they may not do is Forbidden, with a sentence. */
export function guardRoutes(context: Context, routes: readonly Route[], role: Role): readonly Route[] {
  if (role.kind === 'admin') return routes;
  return routes.map((route) => {
    const policy = policyOf(route.method, route.path) ?? { readOnly: 'deny', project: 'deny' };
    const handle: Route['handle'] =
      role.kind === 'read-only'
        ? (call, signal) => readOnly(route, policy, call, signal)
        : (call, signal) => inProject(context, route, policy, role, call, signal);
    return { ...route, handle };
  });
}

async function readOnly(route: Route, policy: RoutePolicy, call: Call, signal: AbortSignal): Promise<Reply> {
  if (policy.readOnly === 'deny')
    throw new StatusError(
      'Forbidden',
      `This socket is read-only: ${route.method} ${route.path} is not allowed; use the administrator's socket`,
    );
  const reply = await route.handle(call, signal);
  return policy.readOnly === 'mask' ? maskSecrets(reply) : reply;
}

async function inProject(
  context: Context,
  route: Route,
  policy: RoutePolicy,
  role: ProjectRole,
  call: Call,
  signal: AbortSignal,
): Promise<Reply> {
  if (policy.project === 'deny')
    throw new StatusError(
      'Forbidden',
      `This socket is for the project "${role.project}" only: ${route.method} ${route.path} reaches beyond it; ` +
        `use the administrator's socket`,
    );
  return route.handle(guardCall(context, policy.project, role, call), signal);
}
