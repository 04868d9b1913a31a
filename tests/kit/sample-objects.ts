import type { ManagedFieldsEntry, Resource } from '#kube/resource.ts';

/** A deployment `default/web`, of the type `sampleDeployment`. */
export function deployment(spec: Record<string, unknown>): Resource {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'default', labels: { app: 'web' } },
    spec,
  };
}

export function withMetadata(metadata: Resource['metadata']): Resource {
  return { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web', namespace: 'default', ...metadata } };
}

/** The part of a spec that has containers. */
export function template(...containers: Record<string, unknown>[]): Record<string, unknown> {
  return { template: { spec: { containers } } };
}

export function withSpec(object: Resource, spec: Record<string, unknown>): Resource {
  return { ...object, spec };
}

export function specOf(object: Resource): Record<string, unknown> {
  return object['spec'] as Record<string, unknown>;
}

/** Managers whose fields have this path in FieldsV1. */
export function ownersOf(object: Resource, ...path: string[]): string[] {
  const owns = ({ fieldsV1 }: ManagedFieldsEntry): boolean => {
    let at: unknown = fieldsV1;
    for (const step of path) at = (at as Record<string, unknown> | undefined)?.[step];
    return at !== undefined;
  };
  return (object.metadata.managedFields ?? []).filter(owns).map(({ manager }) => manager ?? '');
}
