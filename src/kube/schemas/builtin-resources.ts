import { resources } from '../gen/resources.ts';
import type { Verb } from '../kind.ts';

/** A resource or subresource of Kubernetes 1.34 as its specification has it. */
export interface BuiltinResource {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly kind: string;
  readonly scope: 'Namespaced' | 'Cluster';
  readonly verbs: readonly Verb[];
  readonly subresources: readonly BuiltinSubresource[];
}

export interface BuiltinSubresource {
  readonly name: string;
  /** Kind of what is sent; its group version is the resource's own but for kinds such as autoscaling/v1 Scale. */
  readonly body: { readonly group: string; readonly version: string; readonly kind: string };
  readonly verbs: readonly Verb[];
}

export interface GroupVersion {
  readonly group: string;
  readonly version: string;
}

/** Group versions in the order that discovery lists them and clients prefer them. */
export const builtinGroupVersions: readonly GroupVersion[] = [
  '/v1',
  'apiregistration.k8s.io/v1',
  'apps/v1',
  'events.k8s.io/v1',
  'authentication.k8s.io/v1',
  'authorization.k8s.io/v1',
  'autoscaling/v2',
  'autoscaling/v1',
  'batch/v1',
  'certificates.k8s.io/v1',
  'networking.k8s.io/v1',
  'policy/v1',
  'rbac.authorization.k8s.io/v1',
  'storage.k8s.io/v1',
  'admissionregistration.k8s.io/v1',
  'apiextensions.k8s.io/v1',
  'scheduling.k8s.io/v1',
  'coordination.k8s.io/v1',
  'node.k8s.io/v1',
  'discovery.k8s.io/v1',
  'resource.k8s.io/v1',
  'flowcontrol.apiserver.k8s.io/v1',
  'metrics.k8s.io/v1beta1',
].map((text) => {
  const [group = '', version = ''] = text.split('/');
  return { group, version };
});

/** Every resource, read anew with each call: for discovery, which keeps what it makes of it. */
export function builtinResources(): readonly BuiltinResource[] {
  const rows = resources
    .split('\n')
    .filter((line) => line !== '')
    .map(readRow);
  return rows
    .filter((row) => row.subresource === '')
    .map(({ group, version, plural, body, scope, verbs }) => ({
      group,
      version,
      plural,
      kind: body.kind,
      scope,
      verbs,
      subresources: rows
        .filter((row) => isPartOf(row, { group, version, plural }))
        .map((row) => ({ name: row.subresource, body: row.body, verbs: row.verbs })),
    }));
}

type Row = ReturnType<typeof readRow>;

function readRow(line: string) {
  const [group = '', version = '', plural = '', subresource = '', kind = '', scope = '', verbs = ''] = line.split('|');
  const [bodyKind = '', bodyVersion = version, bodyGroup = group] = kind.split('/').reverse();
  return {
    group,
    version,
    plural,
    subresource,
    body: { group: bodyGroup, version: bodyVersion, kind: bodyKind },
    scope: scope === 'N' ? ('Namespaced' as const) : ('Cluster' as const),
    verbs: verbs.split(',') as Verb[],
  };
}

function isPartOf(row: Row, of: Pick<Row, 'group' | 'version' | 'plural'>): boolean {
  return row.subresource !== '' && row.group === of.group && row.version === of.version && row.plural === of.plural;
}
