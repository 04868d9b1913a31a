/** A CustomResourceDefinition of the group example.com whose objects live in namespaces; `spec` has its versions, and what differs. */
export function definitionOf(kind: string, plural: string, spec: object): object {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.example.com` },
    spec: { group: 'example.com', scope: 'Namespaced', names: { plural, kind }, ...spec },
  };
}
