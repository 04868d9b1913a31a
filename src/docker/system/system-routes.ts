import type { Context } from '../context.ts';
import type { Call } from '../http/call.ts';
import type { Headers } from '../http/headers.ts';
import type { Reply } from '../http/reply.ts';
import { empty, json, plainText } from '../http/reply.ts';
import type { Route } from '../http/route.ts';
import { authConfig, registryName, toRegistryAuth } from './auth-header.ts';
import { diskUsage } from './disk-usage.ts';
import { streamEvents } from './events.ts';
import { systemInfo } from './info.ts';
import { systemVersion } from './version.ts';
import { shownTo } from '../versions/shown-to.ts';

/**
 * `Builder-Version: 1` sends clients from 18.09 to 22 to the classic builder, who would speak BuildKit by `version=2` else; later
 * ones take buildx where they have it, whatever is said here. `Swarm: inactive` keeps them from asking for services.
 */
const pingHeaders: Headers = {
  'Builder-Version': '1',
  Swarm: 'inactive',
  'Cache-Control': 'no-cache, no-store, must-revalidate',
  Pragma: 'no-cache',
};

export function systemRoutes(context: Context): readonly Route[] {
  return [
    { method: 'GET', path: '/_ping', handle: () => plainText('OK', pingHeaders) },
    { method: 'HEAD', path: '/_ping', handle: () => empty(200, pingHeaders) },
    { method: 'GET', path: '/version', handle: () => json(systemVersion(context)) },
    { method: 'GET', path: '/info', handle: (call) => json(shownTo(call.version, 'info', systemInfo(context))) },
    { method: 'GET', path: '/events', handle: (call) => streamEvents(context, call) },
    { method: 'GET', path: '/system/df', handle: async (call, signal) => json(await diskUsage(context, call, signal)) },
    { method: 'POST', path: '/auth', handle: (call, signal) => login(context, call, signal) },
  ];
}

async function login({ engine }: Context, call: Call, signal: AbortSignal): Promise<Reply> {
  const config = await call.body.json(authConfig);
  const registry = registryName(config.serveraddress ?? '');
  const identityToken = await engine.images.login(registry, toRegistryAuth(config) ?? {}, signal);
  return json({ Status: 'Login Succeeded', IdentityToken: identityToken ?? '' });
}
