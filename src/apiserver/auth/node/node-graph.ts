import { isObject } from '#base/json.ts';
import { objectOf, objectsOf, textOf } from '#kube/fields.ts';
import type { Resource } from '#kube/resource.ts';

import type { ResourceName } from '../objects.ts';

/** Kinds that a node may read because a pod, claim or volume of its own names them. */
export type Reachable =
  | 'configmaps'
  | 'secrets'
  | 'persistentvolumeclaims'
  | 'persistentvolumes'
  | 'serviceaccounts'
  | 'pods';

/** What the graph is made of. */
export const graphSources: readonly ResourceName[] = [
  { group: '', resource: 'pods' },
  { group: '', resource: 'persistentvolumes' },
  { group: 'storage.k8s.io', resource: 'volumeattachments' },
];

/**
 * Which objects lead to a node: pods that run there, what they name, and the volumes of their claims. Objects are keys
 * `resource/namespace/name`; for each the graph keeps who names it.
 */
export class NodeGraph {
  /** By source: node of a pod or attachment; claim of a volume. */
  readonly #heads = new Map<string, string>();
  /** By source: what it names. */
  readonly #names = new Map<string, readonly string[]>();
  /** By key: the sources that name it. */
  readonly #namedBy = new Map<string, Set<string>>();

  put(of: ResourceName, object: Resource): void {
    const source = keyOf(of.resource, object.metadata.namespace ?? '', object.metadata.name ?? '');
    this.#forget(source);
    if (of.resource === 'pods') this.#putPod(source, object);
    else if (of.resource === 'persistentvolumes') this.#putVolume(source, object);
    else this.#heads.set(source, textOf(specOf(object)['nodeName']));
  }

  remove(of: ResourceName, object: Resource): void {
    this.#forget(keyOf(of.resource, object.metadata.namespace ?? '', object.metadata.name ?? ''));
  }

  /** Whether an object belongs to what the node needs. */
  reaches(node: string, resource: Reachable | 'volumeattachments', namespace: string, name: string): boolean {
    return this.#leadsTo(node, keyOf(resource, namespace, name));
  }

  /** One step up: a pod or attachment has its node as head, a volume has its claim. */
  #leadsTo(node: string, key: string): boolean {
    const head = this.#heads.get(key);
    if (head !== undefined && (head === node || (head.includes('/') && this.#leadsTo(node, head)))) return true;
    for (const source of this.#namedBy.get(key) ?? []) if (this.#leadsTo(node, source)) return true;
    return false;
  }

  #putPod(source: string, pod: Resource): void {
    const spec = specOf(pod);
    const node = textOf(spec['nodeName']);
    // A mirror pod is made by the node itself: what it names must not widen what the node may read.
    const isMirror = pod.metadata.annotations?.['kubernetes.io/config.mirror'] !== undefined;
    if (node === '') return;
    this.#link(source, node, isMirror ? [] : podReferences(pod.metadata.namespace ?? '', spec));
  }

  #putVolume(source: string, volume: Resource): void {
    const claim = specOf(volume)['claimRef'];
    if (!isObject(claim)) return;
    const namespace = textOf(claim['namespace']);
    const secrets = secretsOf(specOf(volume), namespace);
    this.#link(source, keyOf('persistentvolumeclaims', namespace, textOf(claim['name'])), secrets);
  }

  #link(source: string, head: string, names: readonly string[]): void {
    this.#heads.set(source, head);
    this.#names.set(source, names);
    for (const key of names) {
      const sources = this.#namedBy.get(key) ?? new Set();
      this.#namedBy.set(key, sources.add(source));
    }
  }

  #forget(source: string): void {
    for (const key of this.#names.get(source) ?? []) {
      const sources = this.#namedBy.get(key);
      sources?.delete(source);
      if (sources?.size === 0) this.#namedBy.delete(key);
    }
    this.#names.delete(source);
    this.#heads.delete(source);
  }
}

/** Keys of all objects that a pod names, each once. */
function podReferences(namespace: string, spec: Readonly<Record<string, unknown>>): readonly string[] {
  const keys = new Set<string>();
  const add = (resource: Reachable, name: unknown): void => {
    if (textOf(name) !== '') keys.add(keyOf(resource, namespace, textOf(name)));
  };
  add('serviceaccounts', spec['serviceAccountName']);
  for (const secret of objectsOf(spec['imagePullSecrets'])) add('secrets', secret['name']);
  for (const list of ['containers', 'initContainers', 'ephemeralContainers'])
    for (const container of objectsOf(spec[list])) addEnvironment(container, add);
  for (const volume of objectsOf(spec['volumes'])) addVolume(volume, add);
  return [...keys];
}

type Add = (resource: Reachable, name: unknown) => void;

function addEnvironment(container: Readonly<Record<string, unknown>>, add: Add): void {
  for (const source of objectsOf(container['envFrom'])) {
    add('configmaps', part(source, 'configMapRef')['name']);
    add('secrets', part(source, 'secretRef')['name']);
  }
  for (const variable of objectsOf(container['env'])) {
    const from = part(variable, 'valueFrom');
    add('configmaps', part(from, 'configMapKeyRef')['name']);
    add('secrets', part(from, 'secretKeyRef')['name']);
  }
}

function addVolume(volume: Readonly<Record<string, unknown>>, add: Add): void {
  add('configmaps', part(volume, 'configMap')['name']);
  add('secrets', part(volume, 'secret')['secretName']);
  add('persistentvolumeclaims', part(volume, 'persistentVolumeClaim')['claimName']);
  for (const source of objectsOf(part(volume, 'projected')['sources'])) {
    add('configmaps', part(source, 'configMap')['name']);
    add('secrets', part(source, 'secret')['name']);
  }
  // Drivers of volumes have a reference to a secret in the pod's namespace.
  for (const driver of Object.values(volume).filter(isObject)) {
    for (const field of ['secretRef', 'nodePublishSecretRef']) add('secrets', part(driver, field)['name']);
  }
}

/** Secrets that a volume's driver names, by default in the namespace of the claim. */
function secretsOf(spec: Readonly<Record<string, unknown>>, namespace: string): readonly string[] {
  return Object.values(spec)
    .filter(isObject)
    .flatMap((driver) =>
      Object.entries(driver).flatMap(([field, value]) => {
        const isReference = /secretref$/i.test(field) && isObject(value) && textOf(value['name']) !== '';
        return isReference ? [keyOf('secrets', textOf(value['namespace']) || namespace, textOf(value['name']))] : [];
      }),
    );
}

function keyOf(resource: string, namespace: string, name: string): string {
  return `${resource}/${namespace}/${name}`;
}

function specOf(object: Resource): Readonly<Record<string, unknown>> {
  return objectOf(object['spec']);
}

function part(object: Readonly<Record<string, unknown>>, field: string): Readonly<Record<string, unknown>> {
  return objectOf(object[field]);
}
