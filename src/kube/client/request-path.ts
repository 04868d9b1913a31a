import { StatusError } from '#base/errors.ts';

import type { KindOf, ListOptions, ObjectKey, WatchOptions, WriteOptions } from './client.ts';

/** The path of a kind's objects, in one namespace or in all. */
export function collectionPath({ group, version, plural, scope }: KindOf, namespace: string): string {
  const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
  return scope === 'Namespaced' && namespace !== ''
    ? `${root}/namespaces/${encodeURIComponent(namespace)}/${plural}`
    : `${root}/${plural}`;
}

export function objectPath(kind: KindOf, { namespace, name }: ObjectKey, subresource = ''): string {
  if (name === '') throw new StatusError('InvalidArgument', 'resource name may not be empty');
  const path = `${collectionPath(kind, namespace)}/${encodeURIComponent(name)}`;
  return subresource === '' ? path : `${path}/${subresource}`;
}

export function listQuery(options: ListOptions): string {
  return query({
    labelSelector: options.labelSelector,
    fieldSelector: options.fieldSelector,
    limit: options.limit,
    continue: options.continue,
    resourceVersion: options.resourceVersion,
    resourceVersionMatch: options.resourceVersionMatch,
  });
}

export function watchQuery(options: WatchOptions): string {
  const isInitial = options.sendInitialEvents === true;
  return query({
    watch: true,
    allowWatchBookmarks: true,
    labelSelector: options.labelSelector,
    fieldSelector: options.fieldSelector,
    resourceVersion: options.resourceVersion,
    resourceVersionMatch: isInitial ? 'NotOlderThan' : undefined,
    sendInitialEvents: isInitial ? true : undefined,
    timeoutSeconds: options.timeoutSeconds,
  });
}

export function writeQuery(options: WriteOptions & { readonly force?: boolean }): string {
  return query({
    fieldManager: options.fieldManager,
    fieldValidation: options.fieldValidation,
    dryRun: options.dryRun === true ? 'All' : undefined,
    force: options.force === true ? true : undefined,
  });
}

/** Parameters that are there, as `?a=b`; empty when there are none. */
function query(parameters: Readonly<Record<string, string | number | boolean | undefined>>): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters))
    if (value !== undefined && value !== '') search.append(name, String(value));
  return search.size === 0 ? '' : `?${search.toString()}`;
}
