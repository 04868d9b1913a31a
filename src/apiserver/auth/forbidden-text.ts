import { forbidden, type ApiError } from '#kube/status.ts';

import type { Attributes } from './authorizer.ts';

/**
 * The sentence of a refused request, as kube-apiserver words it; `reason` is the authorizer's, empty for none. The
 * resource's own part (`pods "x" is forbidden: `) is put before it by the Status.
 */
export function forbiddenText(attributes: Attributes, reason: string): string {
  const text = `User ${quoted(attributes.user.name)} cannot ${attributes.verb} ${target(attributes)}`;
  return reason === '' ? text : `${text}: ${reason}`;
}

/** Who may not what; `reason` as for the text. */
export function forbiddenError(attributes: Attributes, reason: string): ApiError {
  const text = forbiddenText(attributes, reason);
  if (attributes.type === 'path') return forbidden({ group: '', resource: '' }, '', text);
  const { group, resource, name } = attributes;
  return forbidden({ group, resource }, name, text);
}

function target(attributes: Attributes): string {
  if (attributes.type === 'path') return `path ${quoted(attributes.path)}`;
  const { resource, subresource, group, namespace } = attributes;
  const what = subresource === '' ? resource : `${resource}/${subresource}`;
  const where = namespace === '' ? 'at the cluster scope' : `in the namespace ${quoted(namespace)}`;
  return `resource ${quoted(what)} in API group ${quoted(group)} ${where}`;
}

function quoted(text: string): string {
  return JSON.stringify(text);
}
