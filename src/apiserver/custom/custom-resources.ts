import { isDeepStrictEqual } from 'node:util';

import { messageOf } from '#base/errors.ts';
import type { Logger } from '#base/logger.ts';
import { customKinds } from '#kube/custom/custom-kinds.ts';
import type { Resource } from '#kube/resource.ts';
import type { CustomResourceDefinition } from '#kube/types/gen/apiextensions-v1.ts';

import type { CallWebhook } from '../admission/webhooks/call-webhook.ts';
import type { Objects } from '../auth/objects.ts';
import type { ResourceTable } from '../resources/resource-table.ts';
import type { ServedResource } from '../resources/served-resource.ts';
import { timeText } from '../writes/object-meta.ts';
import { CustomConversion } from './custom-conversion.ts';

const definitions = { group: 'apiextensions.k8s.io', resource: 'customresourcedefinitions' };
/** Keeps a definition until its objects are gone. */
const cleanupFinalizer = 'customresourcecleanup.apiextensions.k8s.io';

export interface CustomResourcesOptions {
  readonly objects: Objects;
  readonly resources: ResourceTable;
  /** Asks webhooks that convert between versions. */
  readonly callWebhook: CallWebhook;
  readonly nowMs: () => number;
  readonly logger: Logger;
}

interface Condition {
  readonly type: string;
  readonly status: 'True' | 'False';
  readonly reason: string;
  readonly message: string;
  readonly lastTransitionTime: string;
}

/**
 * Serves what definitions define, from the moment they are stored, until the signal aborts; says in their status that it
 * does (apiextensions-apiserver, controller/status, controller/finalizer).
 */
export async function serveCustomResources(options: CustomResourcesOptions, signal: AbortSignal): Promise<void> {
  for await (const { type, object } of options.objects.follow(definitions, signal)) {
    if (object === undefined) continue;
    const definition = object as CustomResourceDefinition & Resource;
    try {
      if (type === 'remove') unserve(options.resources, definition);
      else await serve(options, definition, signal);
    } catch (error) {
      if (signal.aborted) return;
      options.logger.warn('definition is not served', { name: object.metadata.name, error: messageOf(error) });
    }
  }
}

async function serve(
  options: CustomResourcesOptions,
  definition: CustomResourceDefinition & Resource,
  signal: AbortSignal,
): Promise<void> {
  const { objects, resources } = options;
  if (definition.metadata.deletionTimestamp !== undefined) return empty(options, definition, signal);
  const taken = takenName(resources, definition);
  if (taken === undefined) {
    const isNew = served(resources, definition);
    if (isNew) resources.replace((one) => isOf(one, definition), servedBy(options, definition));
  }
  const next = withStatus(definition, taken, options.nowMs());
  if (!isDeepStrictEqual(next, definition)) await objects.update(definitions, next, signal);
}

/** Whether something else is to be served than now. */
function served(resources: ResourceTable, definition: CustomResourceDefinition & Resource): boolean {
  const generation = String(definition.metadata.generation ?? 0);
  const own = resources.all().filter((one) => isOf(one, definition));
  return own.length === 0 || own.some(({ source }) => source !== `${definition.metadata.uid ?? ''}/${generation}`);
}

function servedBy(
  { resources, objects, callWebhook }: CustomResourcesOptions,
  definition: CustomResourceDefinition & Resource,
): readonly ServedResource[] {
  const { spec = {}, metadata } = definition;
  const { group = '', names = {} } = spec;
  const storage = resources.storageOf(group, names.plural ?? '', spec.scope !== 'Cluster');
  const generation = metadata.generation ?? 0;
  const source = `${metadata.uid ?? ''}/${String(generation)}`;
  const kinds = customKinds(definition);
  const parts = { objects, callWebhook, kinds, strategy: spec.conversion };
  return kinds
    .filter(({ isServed }) => isServed)
    .map((def) => ({
      def,
      storage,
      source,
      custom: def,
      // One version that never changed has stored nothing that another schema did not see.
      conversion: kinds.length === 1 && generation === 1 ? undefined : new CustomConversion(parts, def),
    }));
}

function unserve(resources: ResourceTable, definition: CustomResourceDefinition): void {
  const { group = '', names = {} } = definition.spec ?? {};
  resources.replace((one) => isOf(one, definition), []);
  resources.closeStorage(group, names.plural ?? '');
}

/** Deletes the objects of a definition that goes, and lets it go when none is left. */
async function empty(
  { objects, resources }: CustomResourcesOptions,
  definition: CustomResourceDefinition & Resource,
  signal: AbortSignal,
): Promise<void> {
  const { finalizers = [], ...metadata } = definition.metadata;
  if (!finalizers.includes(cleanupFinalizer)) return;
  const { group = '', names = {} } = definition.spec ?? {};
  const storage = resources.storageOf(group, names.plural ?? '', definition.spec?.scope !== 'Cluster');
  await storage.fresh(signal);
  for (const stored of storage.cache.list(storage.prefix)) await storage.remove(stored, signal);
  const left = finalizers.filter((one) => one !== cleanupFinalizer);
  const next = { ...definition, metadata: { ...metadata, ...(left.length === 0 ? {} : { finalizers: left }) } };
  if (left.length > 0) {
    await objects.update(definitions, next, signal);
    return;
  }
  const own = resources.findAny(definitions.group, definitions.resource)?.storage;
  const last = await own?.get('', metadata.name ?? '', signal);
  if (last !== undefined) await own?.remove(last, signal);
}

/** Which of a definition's names another resource of the group has; undefined: none. */
function takenName(resources: ResourceTable, definition: CustomResourceDefinition): string | undefined {
  const { group = '', names = {} } = definition.spec ?? {};
  const others = resources.all().filter((one) => one.def.group === group && !isOf(one, definition));
  if (others.some(({ def }) => def.plural === names.plural)) return `"${names.plural ?? ''}" is already in use`;
  return others.some(({ def }) => def.kind === names.kind) ? `"${names.kind ?? ''}" is already in use` : undefined;
}

function isOf({ def, custom }: ServedResource, { spec = {} }: CustomResourceDefinition): boolean {
  return custom !== undefined && def.group === spec.group && def.plural === spec.names?.plural;
}

function withStatus(
  definition: CustomResourceDefinition & Resource,
  taken: string | undefined,
  nowMs: number,
): CustomResourceDefinition & Resource {
  const { spec = {}, metadata, status = {} } = definition;
  const before = (status.conditions ?? []) as readonly Condition[];
  const time = timeText(nowMs);
  const condition = (type: string, isTrue: boolean, reason: string, message: string): Condition => {
    const one = { type, status: isTrue ? 'True' : 'False', reason, message } as const;
    const old = before.find((other) => other.type === type);
    const isSame = old?.status === one.status && old.reason === reason;
    return { lastTransitionTime: isSame ? old.lastTransitionTime : time, ...one };
  };
  const accepts = taken === undefined;
  const conditions = [
    condition('NamesAccepted', accepts, accepts ? 'NoConflicts' : 'PluralConflict', taken ?? 'no conflicts found'),
    condition(
      'Established',
      accepts,
      accepts ? 'InitialNamesAccepted' : 'NotAccepted',
      accepts ? 'the initial names have been accepted' : 'not all names are accepted',
    ),
  ];
  const stored = spec.versions?.find(({ storage }) => storage === true)?.name ?? '';
  const storedVersions = [...new Set([...(status.storedVersions ?? []), stored])];
  const finalizers = [...new Set([...(metadata.finalizers ?? []), cleanupFinalizer])];
  return {
    ...definition,
    metadata: { ...metadata, finalizers },
    status: {
      ...status,
      conditions: conditions.map((one) => before.find((old) => isDeepStrictEqual({ ...old }, { ...one })) ?? one),
      acceptedNames: accepts ? (spec.names ?? {}) : (status.acceptedNames ?? { kind: '', plural: '' }),
      storedVersions,
    },
  };
}
