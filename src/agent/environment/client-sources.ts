import { StatusError } from '#base/errors.ts';
import { type Client, kindOf, type KindOf, type ObjectKey } from '#kube/client/client.ts';
import { Informer } from '#kube/client/informer.ts';
import { configMap } from '#kube/kinds/core/config-map.ts';
import { persistentVolumeClaim } from '#kube/kinds/core/persistent-volume-claim.ts';
import { persistentVolume } from '#kube/kinds/core/persistent-volume.ts';
import { secret } from '#kube/kinds/core/secret.ts';
import { serviceAccount } from '#kube/kinds/core/service-account.ts';
import { service } from '#kube/kinds/core/service.ts';
import type { Resource } from '#kube/resource.ts';
import type { TokenRequest } from '#kube/types/gen/authentication-v1.ts';
import type { ConfigMap, PersistentVolume, PersistentVolumeClaim, Secret, Service } from '#kube/types/gen/core-v1.ts';

import type { IssuedToken, PodSources, TokenOrder } from './pod-sources.ts';
import { type WatchedOptions, WatchedObjects } from './watched-objects.ts';

/** What pods refer to, by a Client: ConfigMaps, Secrets and services from memory, the rest asked for each time. */
export class ClientSources implements PodSources, AsyncDisposable {
  readonly #client: Client;
  readonly #configMaps: WatchedObjects<ConfigMap>;
  readonly #secrets: WatchedObjects<Secret>;
  readonly #services: Informer<Service>;
  readonly #stop = new AbortController();
  readonly #following: Promise<void>;

  constructor(client: Client, options: WatchedOptions = {}) {
    this.#client = client;
    this.#configMaps = new WatchedObjects(client, kindOf<ConfigMap>(configMap), options);
    this.#secrets = new WatchedObjects(client, kindOf<Secret>(secret), options);
    this.#services = new Informer(client, kindOf<Service>(service), options);
    this.#following = this.#services.run(this.#stop.signal);
  }

  async configMap(namespace: string, name: string, signal: AbortSignal): Promise<ConfigMap | undefined> {
    return this.#configMaps.get({ namespace, name }, signal);
  }

  async secret(namespace: string, name: string, signal: AbortSignal): Promise<Secret | undefined> {
    return this.#secrets.get({ namespace, name }, signal);
  }

  /** Waits until all services were read once: a container without its services' variables never gets them later. */
  async services(signal: AbortSignal): Promise<readonly Service[]> {
    if (!this.#services.isSynced) await untilAborted(this.#services.synced, signal);
    return this.#services.list();
  }

  async token(order: TokenOrder, signal: AbortSignal): Promise<IssuedToken> {
    const { namespace, serviceAccount: name, audience, expirationSeconds, pod } = order;
    const request: TokenRequest = {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      metadata: { namespace, name },
      spec: {
        audiences: audience === '' ? [] : [audience],
        expirationSeconds,
        boundObjectRef: { apiVersion: 'v1', kind: 'Pod', ...pod },
      },
    };
    const kind = kindOf<TokenRequest>(serviceAccount);
    const { status } = await this.#client.create(kind, request, { subresource: 'token' }, signal);
    return { token: status?.token ?? '', expiresAtMs: Date.parse(status?.expirationTimestamp ?? '') };
  }

  async claim(namespace: string, name: string, signal: AbortSignal): Promise<PersistentVolumeClaim | undefined> {
    return this.#find(kindOf<PersistentVolumeClaim>(persistentVolumeClaim), { namespace, name }, signal);
  }

  async persistentVolume(name: string, signal: AbortSignal): Promise<PersistentVolume | undefined> {
    return this.#find(kindOf<PersistentVolume>(persistentVolume), { namespace: '', name }, signal);
  }

  /** Calls back when a ConfigMap or Secret that was asked for lately is another. */
  onChange(listener: (kind: 'ConfigMap' | 'Secret', key: ObjectKey) => void): Disposable {
    const stack = new DisposableStack();
    stack.use(this.#configMaps.onChange((key) => listener('ConfigMap', key)));
    stack.use(this.#secrets.onChange((key) => listener('Secret', key)));
    return stack;
  }

  /** Ends the watches of what nobody asked for lately. */
  async forgetUnused(): Promise<void> {
    await Promise.all([this.#configMaps.forgetUnused(), this.#secrets.forgetUnused()]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await Promise.all([this.#following, this.#configMaps[Symbol.asyncDispose](), this.#secrets[Symbol.asyncDispose]()]);
  }

  async #find<R extends Resource>(kind: KindOf<R>, key: ObjectKey, signal: AbortSignal): Promise<R | undefined> {
    try {
      return await this.#client.get(kind, key, signal);
    } catch (error) {
      if (error instanceof StatusError && error.reason === 'NotFound') return undefined;
      throw error;
    }
  }
}

async function untilAborted(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(signal.reason as Error);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
