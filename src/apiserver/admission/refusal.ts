import { ApiError, forbidden, type StatusCause } from '#kube/status.ts';

import type { AdmissionRequest } from './admission.ts';

/** `pods "x" is forbidden: why`; for an object without a name the start of the one that it will get. */
export function refusal(request: AdmissionRequest, why: string, causes: readonly StatusCause[] = []): ApiError {
  const { group, resource } = request.resource;
  const { name = '', generateName = '' } = request.object?.metadata ?? {};
  const error = forbidden({ group, resource }, request.name || name || generateName || 'Unknown', why);
  return causes.length === 0 ? error : new ApiError('Forbidden', error.message, { ...error.details, causes });
}

/** Several reasons as Go's aggregate prints them. */
export function reasonsText(reasons: readonly string[]): string {
  return reasons.length === 1 ? (reasons[0] ?? '') : `[${reasons.join(', ')}]`;
}

/** Whether a request is about a kind itself, and not about one of its subresources. */
export function isAbout({ resource, subresource }: AdmissionRequest, group: string, name: string): boolean {
  return resource.group === group && resource.resource === name && subresource === '';
}
