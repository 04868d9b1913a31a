import { objectAt, within, without } from './change-body.ts';
import type { Body, Rule } from './rule.ts';

export const systemRules = {
  /** GET /info. */
  info: [
    {
      below: 47,
      change: within('RegistryConfig', (config) => ({
        ...config,
        AllowNondistributableArtifactsCIDRs: null,
        AllowNondistributableArtifactsHostnames: null,
      })),
    },
    { below: 49, change: without('FirewallBackend') },
    { below: 49, change: withExpectedCommits },
    { below: 50, change: (body) => ({ ...body, BridgeNfIptables: false, BridgeNfIp6tables: false }) },
  ],
  /** An entry of GET /events: what stood there before there were types and actors. */
  event: [{ since: 52, change: without('status', 'id', 'from') }],
  /** GET /networks/{id}. */
  network: [{ below: 52, change: without('Status') }],
} satisfies Record<string, readonly Rule[]>;

function withExpectedCommits(body: Body): Body {
  const names = ['ContainerdCommit', 'RuncCommit', 'InitCommit'];
  const commits = names.map((name) => [name, { ...objectAt(body, name), Expected: objectAt(body, name)['ID'] }]);
  return { ...body, ...Object.fromEntries(commits) };
}
