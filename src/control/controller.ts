import type { Client, KindOf, ObjectKey } from '#kube/client/client.ts';
import type { Informer } from '#kube/client/informer.ts';
import type { Resource } from '#kube/resource.ts';

/**
 * Brings the world to what objects of a kind ask for. It is told which object to look at, never what happened to it: it
 * reads, compares and writes, and keeps nothing between calls. The same object is never looked at twice at a time.
 */
export interface Controller<R extends Resource = Resource> {
  /** Such as `replicaset`. */
  readonly name: string;
  /** The kind whose keys it is called with. */
  readonly primary: KindOf<R>;
  /** Other kinds whose changes concern objects of the primary one. */
  readonly inputs: readonly Input[];
  /** Kinds that it writes, for documents and for the rights that it needs. */
  readonly outputs: readonly KindOf[];
  /** Throws when something failed; it is called again after a while, longer each time. */
  reconcile(key: ObjectKey, world: World<R>, signal: AbortSignal): Promise<Outcome>;
}

export interface Input<R extends Resource = Resource> {
  readonly kind: KindOf<R>;
  /** Keys of the primary kind that an object concerns; `world` shows, say, whose selectors mean it. */
  keysOf(object: R, world: World<Resource>): readonly ObjectKey[];
}

/** What a controller sees and writes by. Reads are from memory, and may be a moment old. */
export interface World<R extends Resource> {
  readonly client: Client;
  readonly primary: Informer<R>;
  /** The objects of a kind among the inputs. */
  informer<I extends Resource>(kind: KindOf<I>): Informer<I>;
  nowMs(): number;
}

export interface Outcome {
  /** Milliseconds after which the object is to be looked at again, when nothing else calls for it. */
  readonly againAfterMs?: number;
}

/** Makes an input whose type is that of its kind's objects. */
export function inputOf<R extends Resource>(
  kind: KindOf<R>,
  keysOf: (object: R, world: World<Resource>) => readonly ObjectKey[],
): Input {
  return { kind, keysOf: (object, world) => keysOf(object as R, world) };
}

/** Objects that objects of the primary kind own as their controller. */
export function ownedBy(owner: KindOf, kind: KindOf): Input {
  const apiVersion = owner.group === '' ? owner.version : `${owner.group}/${owner.version}`;
  return inputOf(kind, ({ metadata }) => {
    const one = metadata.ownerReferences?.find(({ controller }) => controller === true);
    if (one?.kind !== owner.kind || one.apiVersion !== apiVersion) return [];
    return [{ namespace: owner.scope === 'Cluster' ? '' : (metadata.namespace ?? ''), name: one.name }];
  });
}
