import { objectAt, within, without, withoutEmpty } from './change-body.ts';
import type { Body, Rule } from './rule.ts';

/** What belongs to the default bridge alone, from the time before networks. */
const ofDefaultBridge = [
  'Bridge',
  'HairpinMode',
  'LinkLocalIPv6Address',
  'LinkLocalIPv6PrefixLen',
  'SecondaryIPAddresses',
  'SecondaryIPv6Addresses',
  'EndpointID',
  'Gateway',
  'GlobalIPv6Address',
  'GlobalIPv6PrefixLen',
  'IPAddress',
  'IPPrefixLen',
  'IPv6Gateway',
  'MacAddress',
];

const shortIdLength = 12;

export const containerRules = {
  /** GET /containers/{id}/json. */
  container: [
    { below: 45, change: withNamesAsAliases },
    { since: 52, change: within('NetworkSettings', without(...ofDefaultBridge)) },
    { since: 52, change: within('Config', (config) => withoutEmpty('OnBuild')(without('MacAddress')(config))) },
    { since: 52, change: within('HostConfig', without('KernelMemoryTCP')) },
  ],
  /** An entry of GET /containers/json. */
  listedContainer: [
    { below: 46, change: within('HostConfig', without('Annotations')) },
    { below: 52, change: without('Health') },
  ],
} satisfies Record<string, readonly Rule[]>;

/** On networks that users made, the short ID and the host name were told among the aliases. */
function withNamesAsAliases(body: Body): Body {
  const names = [String(body['Id']).slice(0, shortIdLength), String(objectAt(body, 'Config')['Hostname'])];
  const settings = objectAt(body, 'NetworkSettings');
  const networks = Object.entries(objectAt(settings, 'Networks')).map(([network, endpoint]) => {
    if (['bridge', 'host', 'none'].includes(network)) return [network, endpoint] as const;
    const aliases = (endpoint as Body)['Aliases'];
    return [network, { ...(endpoint as Body), Aliases: [...new Set([...listOf(aliases), ...names])] }] as const;
  });
  return { ...body, NetworkSettings: { ...settings, Networks: Object.fromEntries(networks) } };
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
