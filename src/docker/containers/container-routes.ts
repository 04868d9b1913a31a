import { StatusError } from '#base/errors.ts';

import type { Context } from '../context.ts';
import type { Call } from '../http/call.ts';
import type { Reply } from '../http/reply.ts';
import { empty, json } from '../http/reply.ts';
import type { Route } from '../http/route.ts';
import { shownTo } from '../versions/shown-to.ts';
import { readArchive, statArchive, writeArchive } from './archive.ts';
import { attachReply } from './attach.ts';
import { commitReply } from './commit.ts';
import { containerBody } from './container-inspect.ts';
import { listReply } from './container-list.ts';
import { containerSizes } from './container-sizes.ts';
import { createReply } from './create-container.ts';
import { exportReply } from './export.ts';
import * as lifecycle from './lifecycle.ts';
import { logsReply } from './logs.ts';
import { statsReply } from './stats.ts';
import { updateReply } from './update-container.ts';

const changeKinds = { modified: 0, added: 1, deleted: 2 } as const;
const defaultPsArguments = '-ef';

type Endpoint = (context: Context, call: Call, signal: AbortSignal) => Reply | Promise<Reply>;

export function containerRoutes(context: Context): readonly Route[] {
  const on = (method: Route['method'], path: string, endpoint: Endpoint, extra: Partial<Route> = {}): Route => ({
    method,
    path: `/containers/${path}`,
    handle: (call, signal) => endpoint(context, call, signal),
    ...extra,
  });
  return [
    on('GET', 'json', listReply),
    on('POST', 'create', createReply),
    on('POST', 'prune', lifecycle.prune, { since: 25 }),
    on('GET', '{id}/json', inspect),
    on('POST', '{id}/start', lifecycle.start),
    on('POST', '{id}/stop', lifecycle.stop),
    on('POST', '{id}/restart', lifecycle.restart),
    on('POST', '{id}/kill', lifecycle.kill),
    on('POST', '{id}/pause', pause),
    on('POST', '{id}/unpause', unpause),
    on('POST', '{id}/wait', lifecycle.wait),
    on('POST', '{id}/resize', lifecycle.resize),
    on('POST', '{id}/rename', lifecycle.rename),
    on('POST', '{id}/update', updateReply),
    on('POST', '{id}/attach', attachReply, { hijacks: true }),
    on('GET', '{id}/attach/ws', refuseWebSocket),
    on('GET', '{id}/logs', logsReply),
    on('GET', '{id}/stats', statsReply),
    on('GET', '{id}/top', top),
    on('GET', '{id}/changes', changes),
    on('GET', '{id}/export', exportReply),
    on('HEAD', '{id}/archive', statArchive),
    on('GET', '{id}/archive', readArchive),
    on('PUT', '{id}/archive', writeArchive),
    on('POST', '{id}/checkpoints', refuseCheckpoints),
    on('GET', '{id}/checkpoints', refuseCheckpoints),
    on('DELETE', '{id}/checkpoints/{checkpoint}', refuseCheckpoints),
    // The name of a link has a slash.
    on('DELETE', '{id*}', lifecycle.remove),
    { method: 'POST', path: '/commit', handle: (call, signal) => commitReply(context, call, signal) },
  ];
}

async function inspect(context: Context, call: Call, signal: AbortSignal): Promise<Reply> {
  const { containers } = context.engine;
  const container = containers.get(idOf(call));
  const sizes = call.query.flag('size') ? await containerSizes(context, container, signal) : undefined;
  const body = containerBody(context, sizes === undefined ? container : containers.get(container.id), sizes);
  return json(shownTo(call.version, 'container', body));
}

async function pause({ engine }: Context, call: Call): Promise<Reply> {
  await engine.containers.pause(idOf(call));
  return empty(204);
}

async function unpause({ engine }: Context, call: Call): Promise<Reply> {
  await engine.containers.unpause(idOf(call));
  return empty(204);
}

async function top({ engine }: Context, call: Call): Promise<Reply> {
  const { titles, processes } = await engine.containers.top(
    idOf(call),
    call.query.text('ps_args') || defaultPsArguments,
  );
  return json({ Titles: titles, Processes: processes });
}

async function changes({ engine }: Context, call: Call, signal: AbortSignal): Promise<Reply> {
  const found = await engine.containers.changes(idOf(call), signal);
  return json(found.map(({ path, kind }) => ({ Path: path, Kind: changeKinds[kind] })));
}

function refuseWebSocket(): never {
  throw new StatusError('NotSupported', 'Cannot attach over a WebSocket: use POST /containers/{id}/attach');
}

function refuseCheckpoints(): never {
  throw new StatusError('NotSupported', 'Cannot checkpoint a container: checkpoints are not supported');
}

function idOf(call: Call): string {
  return call.params['id'] ?? '';
}
