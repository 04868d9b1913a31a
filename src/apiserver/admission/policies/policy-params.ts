import { matchesLabels, selectionOf } from '#kube/selectors/label-selector.ts';
import type { ParamRef } from '#kube/types/gen/admissionregistration-v1.ts';
import type { Resource } from '#kube/resource.ts';

import type { Objects, ResourceName } from '../../auth/objects.ts';
import type { AdmissionRequest } from '../admission.ts';

/** A kind as its resource; undefined: the server does not know it. */
export interface ResolvedKind extends ResourceName {
  readonly isNamespaced: boolean;
}
export type ResolveKind = (apiVersion: string, kind: string) => ResolvedKind | undefined;

/**
 * The parameter objects of a binding: one, or all that its selector chooses. Throws Error when there are none and the binding
 * says that this denies the request; an empty list when it allows it.
 */
export async function paramsOf(
  kind: { readonly apiVersion?: string; readonly kind?: string },
  reference: ParamRef,
  request: AdmissionRequest,
  from: { readonly objects: Objects; readonly resolveKind: ResolveKind },
  signal: AbortSignal,
): Promise<readonly Resource[]> {
  const { apiVersion = '', kind: name = '' } = kind;
  const of = from.resolveKind(apiVersion, name);
  if (of === undefined)
    throw new Error(`failed to find resource referenced by paramKind: '${apiVersion}, Kind=${name}'`);
  const namespace = of.isNamespaced ? reference.namespace || request.namespace : '';
  if (of.isNamespaced && namespace === '')
    throw new Error('cannot use namespaced paramRef in policy binding that matches cluster-scoped resources');
  const found = await find(of, namespace, reference, from.objects, signal);
  if (found.length > 0 || reference.parameterNotFoundAction === 'Allow') return found;
  throw new Error('no params found for policy binding with `Deny` parameterNotFoundAction');
}

async function find(
  of: ResourceName,
  namespace: string,
  { name, selector }: ParamRef,
  objects: Objects,
  signal: AbortSignal,
): Promise<readonly Resource[]> {
  if (name !== undefined && name !== '') {
    const one = await objects.get(of, namespace, name, signal);
    return one === undefined ? [] : [one];
  }
  const selection = selectionOf(selector) ?? 'nothing';
  const all = await objects.list(of, namespace, signal);
  return all.filter(({ metadata }) => matchesLabels(selection, metadata.labels));
}
