import type { ConfigMap, Secret, Service } from '#kube/types/gen/core-v1.ts';

export interface TokenOrder {
  readonly namespace: string;
  readonly serviceAccount: string;
  /** Empty: the API server itself. */
  readonly audience: string;
  readonly expirationSeconds: number;
  readonly pod: { readonly name: string; readonly uid: string };
}

export interface IssuedToken {
  readonly token: string;
  readonly expiresAtMs: number;
}

/** Where what pods refer to comes from. What is not there is undefined; other failures are thrown. */
export interface PodSources {
  configMap(namespace: string, name: string, signal: AbortSignal): Promise<ConfigMap | undefined>;
  secret(namespace: string, name: string, signal: AbortSignal): Promise<Secret | undefined>;
  /** All services of all namespaces. */
  services(signal: AbortSignal): Promise<readonly Service[]>;
  token(order: TokenOrder, signal: AbortSignal): Promise<IssuedToken>;
}

/** What a pod may ask of the node it runs on and of its own sandbox. */
export interface PodFacts {
  readonly nodeName: string;
  readonly hostIPs: readonly string[];
  /** Empty until the pod has a sandbox. */
  readonly podIPs: readonly string[];
  /** Quantities by resource: what a container without a limit may use. */
  readonly allocatable: Readonly<Record<string, string>>;
}
