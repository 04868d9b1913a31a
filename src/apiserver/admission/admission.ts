import type { Resource } from '#kube/resource.ts';

import type { UserInfo } from '../auth/user.ts';

export type Operation = 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT';

/** A write on its way to the store (admission.k8s.io/v1 AdmissionRequest). */
export interface AdmissionRequest {
  readonly operation: Operation;
  readonly kind: { readonly group: string; readonly version: string; readonly kind: string };
  readonly resource: { readonly group: string; readonly version: string; readonly resource: string };
  /** Empty: the resource itself. */
  readonly subresource: string;
  /** Empty for kinds of the cluster. */
  readonly namespace: string;
  /** Empty for a create with generateName. */
  readonly name: string;
  /** As it will be stored; undefined for DELETE. While mutating, plugins change it in place or put another in its place. */
  object: Resource | undefined;
  /** As it is stored; undefined for CREATE and CONNECT. */
  readonly oldObject: Resource | undefined;
  /** CreateOptions, UpdateOptions, PatchOptions or DeleteOptions as an object with apiVersion and kind. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly isDryRun: boolean;
  readonly user: UserInfo;
  /** Adds a Warning header (code 299). */
  warn(text: string): void;
  /** Adds an annotation to the audit event. */
  annotate(key: string, value: string): void;
}

/** One link of the chain. Throws ApiError to refuse. */
export interface AdmissionPlugin {
  readonly name: string;
  /** May change the object. */
  mutate?(request: AdmissionRequest, signal: AbortSignal): Promise<void> | void;
  /** May only refuse. */
  validate?(request: AdmissionRequest, signal: AbortSignal): Promise<void> | void;
}

/**
 * What the server calls for each write: `mutate` before the object is defaulted again and checked, `validate` after.
 * Quota is reserved by `validate`, so it comes last before the store; what it reserved is corrected when the write fails.
 */
export interface Admission {
  mutate(request: AdmissionRequest, signal: AbortSignal): Promise<void>;
  validate(request: AdmissionRequest, signal: AbortSignal): Promise<void>;
}

/** Links of a chain in their order. */
export function admissionChain(plugins: readonly AdmissionPlugin[]): Admission {
  return {
    // Most links answer at once: only those that do not are waited for.
    mutate: async (request, signal) => {
      for (const plugin of plugins) {
        const pending = plugin.mutate?.(request, signal);
        if (pending !== undefined) await pending;
      }
    },
    validate: async (request, signal) => {
      for (const plugin of plugins) {
        const pending = plugin.validate?.(request, signal);
        if (pending !== undefined) await pending;
      }
    },
  };
}
