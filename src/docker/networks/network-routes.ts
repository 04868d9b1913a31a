import { nowNs } from '#base/clock.ts';
import { StatusError } from '#base/errors.ts';
import type { Network, NewNetwork } from '#engine/network/networks.ts';

import type { Context } from '../context.ts';
import type { Call } from '../http/call.ts';
import type { Decoded } from '../http/decode.ts';
import { flag, listOf, mapOf, objectOf, text } from '../http/decode.ts';
import { parseFilters } from '../http/filters.ts';
import type { Reply } from '../http/reply.ts';
import { empty, json } from '../http/reply.ts';
import type { Route } from '../http/route.ts';
import { parsePointInTime } from '../text/timestamp.ts';
import { endpointSettings } from '../translate/create-request.ts';
import { endpointRequest } from '../translate/network-request.ts';
import { networkBody } from './network-body.ts';
import { speaks } from '../http/api-version.ts';
import { shownTo } from '../versions/shown-to.ts';
import { networkStatus } from './network-status.ts';

const ipamConfig = objectOf({ Subnet: text, IPRange: text, Gateway: text, AuxiliaryAddresses: mapOf(text, '') });

const createRequest = objectOf({
  Name: text,
  Driver: text,
  Scope: text,
  Internal: flag,
  Attachable: flag,
  Ingress: flag,
  ConfigOnly: flag,
  ConfigFrom: objectOf({ Network: text }),
  EnableIPv4: flag,
  EnableIPv6: flag,
  IPAM: objectOf({ Driver: text, Options: mapOf(text, ''), Config: listOf(ipamConfig) }),
  Options: mapOf(text, ''),
  Labels: mapOf(text, ''),
});

const connectRequest = objectOf({ Container: text, EndpointConfig: endpointSettings });
const disconnectRequest = objectOf({ Container: text, Force: flag });

export function networkRoutes(context: Context): readonly Route[] {
  const { networks, containers } = context.engine;
  return [
    { method: 'GET', path: '/networks', handle: (call) => list(context, call) },
    { method: 'POST', path: '/networks/create', handle: (call, signal) => create(context, call, signal) },
    { method: 'POST', path: '/networks/prune', handle: (call, signal) => prune(context, call, signal) },
    {
      method: 'POST',
      path: '/networks/{id}/connect',
      handle: async (call, signal) => {
        const request = await call.body.json(connectRequest);
        const network = networks.get(idOf(call)).name;
        const endpoint = endpointRequest(network, request.EndpointConfig ?? {});
        await containers.connect(request.Container ?? '', endpoint, signal);
        return empty(200);
      },
    },
    {
      method: 'POST',
      path: '/networks/{id}/disconnect',
      handle: async (call, signal) => {
        const request = await call.body.json(disconnectRequest);
        await containers.disconnect(request.Container ?? '', idOf(call), request.Force ?? false, signal);
        return empty(200);
      },
    },
    { method: 'GET', path: '/networks/{id}', handle: (call) => inspect(context, call) },
    {
      method: 'DELETE',
      path: '/networks/{id}',
      handle: async (call, signal) => {
        await networks.remove(idOf(call), signal);
        return empty(204);
      },
    },
  ];
}

function list({ engine }: Context, call: Call): Reply {
  const filters = parseFilters(call.query, ['dangling', 'driver', 'id', 'label', 'name', 'scope', 'type']);
  const dangling = filters.flag('dangling');
  const used = usedNetworks(engine);
  // Only inspect tells them since 1.28.
  const withContainers = !speaks(call.version, 28);
  const matches = (network: Network): boolean =>
    filters.any('name', (wanted) => network.name.includes(wanted)) &&
    filters.any('id', (wanted) => network.id.startsWith(wanted)) &&
    filters.equals('driver', network.driver === 'none' ? 'null' : network.driver) &&
    filters.equals('scope', 'local') &&
    filters.equals('type', isBuiltIn(network) ? 'builtin' : 'custom') &&
    filters.labels('label', network.labels) &&
    (dangling === undefined || dangling === (!isBuiltIn(network) && !used.has(network.id)));
  return json(
    engine.networks
      .list()
      .filter(matches)
      .map((network) => networkBody(network, withContainers)),
  );
}

function inspect({ engine }: Context, call: Call): Reply {
  const scope = call.query.text('scope');
  const network = engine.networks.get(idOf(call));
  if (scope !== '' && scope !== 'local') throw new StatusError('NotFound', `network ${idOf(call)} not found`);
  const body = { ...networkBody(network, true), Status: networkStatus(network) };
  return json(shownTo(call.version, 'network', body));
}

async function create({ engine }: Context, call: Call, signal: AbortSignal): Promise<Reply> {
  const network = await engine.networks.create(newNetwork(await readNetwork(call)), signal);
  return json({ Id: network.id, Warning: '' }, 201);
}

/** The body of POST /networks/create as a client of its version meant it. */
async function readNetwork(call: Call): Promise<Decoded<typeof createRequest>> {
  const { EnableIPv4, ...request } = await call.body.json(createRequest);
  return EnableIPv4 !== undefined && speaks(call.version, 48) ? { ...request, EnableIPv4 } : request;
}

/** Translates the body of POST /networks/create; throws NotSupported for what we would have to ignore. */
function newNetwork(request: Decoded<typeof createRequest>): NewNetwork {
  const { Name = '', Driver = '', IPAM = {} } = request;
  const refusals = [
    {
      there: request.ConfigOnly === true || (request.ConfigFrom?.Network ?? '') !== '',
      what: 'configuration networks',
    },
    { there: !['', 'default'].includes(IPAM.Driver ?? ''), what: `the IPAM driver "${IPAM.Driver ?? ''}"` },
    { there: Object.keys(IPAM.Options ?? {}).length > 0, what: 'IPAM options' },
    { there: !['', 'local'].includes(request.Scope ?? ''), what: `the scope "${request.Scope ?? ''}"` },
  ];
  if (request.Ingress === true) throw new StatusError('Forbidden', 'Ingress network can only be global scope network');
  const refusal = refusals.find(({ there }) => there);
  if (refusal !== undefined) {
    throw new StatusError('NotSupported', `Cannot create network "${Name}": ${refusal.what} is not supported`);
  }
  return {
    name: Name,
    ...(Driver !== '' && { driver: Driver }),
    subnets: (IPAM.Config ?? []).map((config) => ({
      ...((config.Subnet ?? '') !== '' && { subnet: config.Subnet }),
      ...((config.Gateway ?? '') !== '' && { gateway: config.Gateway }),
      ...((config.IPRange ?? '') !== '' && { ipRange: config.IPRange }),
      ...(config.AuxiliaryAddresses !== undefined && { auxAddresses: config.AuxiliaryAddresses }),
    })),
    internal: request.Internal ?? false,
    attachable: request.Attachable ?? false,
    ...(request.EnableIPv4 === false && { enableIPv4: false }),
    enableIPv6: request.EnableIPv6 ?? false,
    labels: request.Labels ?? {},
    options: request.Options ?? {},
  };
}

/** Deletes what no container, running or not, names, so that a stopped one can always start again. */
async function prune({ engine }: Context, call: Call, signal: AbortSignal): Promise<Reply> {
  const filters = parseFilters(call.query, ['label', 'label!', 'until']);
  const until = filters.values('until')[0];
  const beforeMs = until === undefined ? Infinity : Number(parsePointInTime(until, nowNs()) / 1_000_000n);
  const keep = usedNetworks(engine);
  for (const network of engine.networks.list()) {
    if (!filters.prunable(network.labels) || network.createdAtMs > beforeMs) keep.add(network.id);
  }
  return json({ NetworksDeleted: await engine.networks.prune(keep, signal) });
}

/** IDs of the networks that containers name. */
function usedNetworks({ networks, containers }: Context['engine']): Set<string> {
  const names = containers.list().flatMap(({ spec }) => spec.network.endpoints.map(({ network }) => network));
  return new Set(names.flatMap((name) => networks.find(name)?.id ?? []));
}

function isBuiltIn(network: Network): boolean {
  return ['bridge', 'host', 'none'].includes(network.name);
}

function idOf(call: Call): string {
  return call.params['id'] ?? '';
}
