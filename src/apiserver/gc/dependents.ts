import type { OwnerReference, Resource } from '#kube/resource.ts';

import type { ServedResource } from '../resources/served-resource.ts';

/** What the collector knows of an object. */
export interface Node {
  readonly resource: ServedResource;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly owners: readonly OwnerReference[];
  readonly finalizers: readonly string[];
  readonly isDeleting: boolean;
}

/** All objects by uid, and who depends on whom. */
export class Dependents {
  readonly #nodes = new Map<string, Node>();
  readonly #dependents = new Map<string, Set<string>>();

  get(uid: string): Node | undefined {
    return this.#nodes.get(uid);
  }

  /** Objects that name this one among their owners. */
  of(uid: string): readonly Node[] {
    return [...(this.#dependents.get(uid) ?? [])].flatMap((one) => this.#nodes.get(one) ?? []);
  }

  ofResource(resource: ServedResource): readonly Node[] {
    return [...this.#nodes.values()].filter((node) => node.resource === resource);
  }

  put(node: Node): void {
    this.#unlink(node.uid);
    this.#nodes.set(node.uid, node);
    for (const { uid } of node.owners) {
      const set = this.#dependents.get(uid) ?? new Set();
      this.#dependents.set(uid, set.add(node.uid));
    }
  }

  remove(uid: string): void {
    this.#unlink(uid);
    this.#nodes.delete(uid);
  }

  /** Objects with owners. */
  owned(): readonly Node[] {
    return [...this.#nodes.values()].filter(({ owners }) => owners.length > 0);
  }

  #unlink(uid: string): void {
    for (const owner of this.#nodes.get(uid)?.owners ?? []) {
      const set = this.#dependents.get(owner.uid);
      set?.delete(uid);
      if (set?.size === 0) this.#dependents.delete(owner.uid);
    }
  }
}

export function nodeOf(resource: ServedResource, { metadata }: Resource): Node {
  return {
    resource,
    namespace: metadata.namespace ?? '',
    name: metadata.name ?? '',
    uid: metadata.uid ?? '',
    owners: metadata.ownerReferences ?? [],
    finalizers: metadata.finalizers ?? [],
    isDeleting: metadata.deletionTimestamp !== undefined,
  };
}
