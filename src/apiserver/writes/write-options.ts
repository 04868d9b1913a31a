import type { Resource } from '#kube/resource.ts';

import type { Admission, AdmissionRequest, Operation } from '../admission/admission.ts';
import type { UserInfo } from '../auth/user.ts';
import type { ServedResource } from '../resources/served-resource.ts';

/** What writes need beside the object. */
export interface WriteContext {
  readonly admission: Admission;
  readonly fields: FieldOwners;
  readonly nowMs: () => number;
}

/** Keeps metadata.managedFields. */
export interface FieldOwners {
  /** `updated` with its managers after a write that was no apply; `live`: the object before, undefined for a create. */
  track(
    resource: ServedResource,
    live: Resource | undefined,
    updated: Resource,
    options: Pick<WriteOptions, 'manager' | 'subresource'>,
    signal: AbortSignal,
  ): Promise<Resource>;
  /** Server-side apply onto `live`, undefined when there is none. Throws Conflict, BadRequest. */
  apply(
    resource: ServedResource,
    live: Resource | undefined,
    applied: Resource,
    options: ApplyOptions,
    signal: AbortSignal,
  ): Promise<Resource>;
}

export interface ApplyOptions extends Pick<WriteOptions, 'manager' | 'subresource'> {
  /** Takes fields from others instead of failing. */
  readonly force: boolean;
}

/** How somebody wants something written. */
export interface WriteOptions {
  readonly user: UserInfo;
  readonly isDryRun: boolean;
  /** Who owns the fields (managedFields). */
  readonly manager: string;
  /** Empty: the object itself. */
  readonly subresource: string;
  /** Managers of fields are in the object already: it was an apply. */
  readonly isApply?: boolean;
  readonly warn: (text: string) => void;
  /** Adds to the audit event of the request. */
  readonly annotate: (key: string, value: string) => void;
}

/** The object of meta/v1 that admission is shown beside the write. */
export type OptionsKind = 'CreateOptions' | 'UpdateOptions' | 'PatchOptions' | 'DeleteOptions';

export interface AdmissionParts {
  readonly operation: Operation;
  readonly optionsKind: OptionsKind;
  readonly namespace: string;
  readonly name: string;
  readonly object: Resource | undefined;
  readonly oldObject: Resource | undefined;
}

export function admissionRequest(
  { def }: ServedResource,
  options: WriteOptions,
  parts: AdmissionParts,
): AdmissionRequest {
  const { group, version, kind, plural } = def;
  return {
    operation: parts.operation,
    kind: { group, version, kind },
    resource: { group, version, resource: plural },
    subresource: options.subresource,
    namespace: parts.namespace,
    name: parts.name,
    object: parts.object,
    oldObject: parts.oldObject,
    options: {
      apiVersion: 'meta.k8s.io/v1',
      kind: parts.optionsKind,
      ...(options.isDryRun ? { dryRun: ['All'] } : {}),
      ...(options.manager === '' || parts.optionsKind === 'DeleteOptions' ? {} : { fieldManager: options.manager }),
    },
    isDryRun: options.isDryRun,
    user: options.user,
    warn: options.warn,
    annotate: options.annotate,
  };
}
