import type { KindDef, Subresource } from '#kube/kind.ts';
import { builtinGroupVersions } from '#kube/schemas/builtin-resources.ts';

import { apiVersionOf } from '../resources/served-resource.ts';

interface GroupVersions {
  readonly group: string;
  /** Preferred first. */
  readonly versions: readonly { readonly version: string; readonly kinds: readonly KindDef[] }[];
}

/** What is served by groups and versions, as clients shall prefer them. */
export function groupsOf(kinds: readonly KindDef[]): readonly GroupVersions[] {
  const groups = new Map<string, Map<string, KindDef[]>>();
  for (const { group, version } of builtinGroupVersions)
    if (kinds.some((kind) => kind.group === group && kind.version === version)) listOf(groups, group, version);
  for (const kind of kinds.toSorted(byVersion)) listOf(groups, kind.group, kind.version).push(kind);
  return [...groups].map(([group, versions]) => ({
    group,
    versions: [...versions].map(([version, own]) => ({
      version,
      kinds: own.toSorted((a, b) => (a.plural < b.plural ? -1 : 1)),
    })),
  }));
}

/** apidiscovery.k8s.io APIGroupDiscoveryList: all groups in one document. */
export function aggregatedDocument(groups: readonly GroupVersions[], version: 'v2' | 'v2beta1'): object {
  return {
    kind: 'APIGroupDiscoveryList',
    apiVersion: `apidiscovery.k8s.io/${version}`,
    metadata: {},
    items: groups.map(({ group, versions }) => ({
      metadata: { ...(group === '' ? {} : { name: group }), creationTimestamp: null },
      versions: versions.map((one) => ({
        version: one.version,
        resources: one.kinds.map(aggregatedResource),
        freshness: 'Current',
      })),
    })),
  };
}

/** meta/v1 APIGroupList. */
export function groupListDocument(groups: readonly GroupVersions[]): object {
  return { kind: 'APIGroupList', apiVersion: 'v1', groups: groups.map(groupBody) };
}

/** meta/v1 APIGroup. */
export function groupDocument(group: GroupVersions): object {
  return { kind: 'APIGroup', apiVersion: 'v1', ...groupBody(group) };
}

/** meta/v1 APIVersions, which only the core group has. */
export function coreVersionsDocument(serverAddress: string): object {
  return {
    kind: 'APIVersions',
    versions: ['v1'],
    serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress }],
  };
}

/** meta/v1 APIResourceList. */
export function resourceListDocument(group: string, version: string, kinds: readonly KindDef[]): object {
  return {
    kind: 'APIResourceList',
    ...(group === '' ? {} : { apiVersion: 'v1' }),
    groupVersion: apiVersionOf({ group, version }),
    resources: kinds.flatMap((kind) => [
      resourceRow(kind),
      ...kind.subresources.map((one) => subresourceRow(kind, one)),
    ]),
  };
}

function groupBody({ group, versions }: GroupVersions): object {
  const rows = versions.map(({ version }) => ({ groupVersion: apiVersionOf({ group, version }), version }));
  return { name: group, versions: rows, preferredVersion: rows[0] };
}

function aggregatedResource(kind: KindDef): object {
  return {
    resource: kind.plural,
    responseKind: { group: kind.group, version: kind.version, kind: kind.kind },
    scope: kind.scope === 'Namespaced' ? 'Namespaced' : 'Cluster',
    singularResource: kind.singular,
    verbs: [...kind.verbs].sort(),
    ...(kind.shortNames.length === 0 ? {} : { shortNames: kind.shortNames }),
    ...(kind.categories.length === 0 ? {} : { categories: kind.categories }),
    ...(kind.subresources.length === 0
      ? {}
      : {
          subresources: kind.subresources.map((one) => ({
            subresource: one.name,
            responseKind: one.body ?? { group: kind.group, version: kind.version, kind: kind.kind },
            verbs: [...one.verbs].sort(),
          })),
        }),
  };
}

function resourceRow(kind: KindDef): object {
  return {
    name: kind.plural,
    singularName: kind.singular,
    namespaced: kind.scope === 'Namespaced',
    kind: kind.kind,
    verbs: [...kind.verbs].sort(),
    ...(kind.shortNames.length === 0 ? {} : { shortNames: kind.shortNames }),
    ...(kind.categories.length === 0 ? {} : { categories: kind.categories }),
  };
}

function subresourceRow(kind: KindDef, { name, body, verbs }: Subresource): object {
  const isForeign = body !== undefined && (body.group !== kind.group || body.version !== kind.version);
  return {
    name: `${kind.plural}/${name}`,
    singularName: '',
    namespaced: kind.scope === 'Namespaced',
    ...(isForeign ? { group: body.group, version: body.version } : {}),
    kind: body?.kind ?? kind.kind,
    verbs: [...verbs].sort(),
  };
}

/** Stable versions before others, newer before older (apimachinery, version/helpers.go). */
function byVersion(a: KindDef, b: KindDef): number {
  return versionRank(b.version) - versionRank(a.version);
}

function versionRank(version: string): number {
  const [, major = '', stage = '', minor = ''] = /^v(\d+)(?:(alpha|beta)(\d+))?$/.exec(version) ?? [];
  if (major === '') return -1;
  const stages: Readonly<Record<string, number>> = { '': 2, beta: 1, alpha: 0 };
  return (stages[stage] ?? 0) * 1e6 + Number(major) * 1e3 + Number(minor);
}

function listOf(groups: Map<string, Map<string, KindDef[]>>, group: string, version: string): KindDef[] {
  const versions = groups.get(group) ?? new Map<string, KindDef[]>();
  groups.set(group, versions);
  const kinds = versions.get(version) ?? [];
  versions.set(version, kinds);
  return kinds;
}
