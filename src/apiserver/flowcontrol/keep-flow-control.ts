import { isDeepStrictEqual } from 'node:util';

import type { Resource } from '#kube/resource.ts';
import type { FlowSchema, PriorityLevelConfiguration } from '#kube/types/gen/flowcontrol-v1.ts';

import type { Objects, ResourceName } from '../auth/objects.ts';
import { ensure, isReason } from '../security/ensure.ts';
import { autoUpdateAnnotation, defaultLevels, defaultSchemas, mandatoryNames } from './default-flow-control.ts';
import type { FlowControl } from './flow-control.ts';

const group = 'flowcontrol.apiserver.k8s.io';
const levelsName = { group, resource: 'prioritylevelconfigurations' };
const schemasName = { group, resource: 'flowschemas' };

const danglingWords = ['True', 'NotFound', 'but there is no such object'] as const;

export interface KeepOptions {
  readonly objects: Objects;
  readonly control: FlowControl;
  readonly nowMs: () => number;
  /** Told of what goes wrong in the background; it goes on. */
  readonly onError: (error: unknown) => void;
}

/**
 * Makes the objects that every cluster has, and keeps the control as the objects say until the signal aborts: mandatory ones
 * are brought back, and all others that are annotated so. Resolves when the control is as the store says.
 */
export async function keepFlowControl(options: KeepOptions, signal: AbortSignal): Promise<void> {
  const { objects, control, nowMs, onError } = options;
  for (const one of defaultLevels) await ensure(objects, levelsName, structuredClone(one), signal);
  for (const one of defaultSchemas) await ensure(objects, schemasName, structuredClone(one), signal);
  const levels = new Map<string, PriorityLevelConfiguration>();
  const schemas = new Map<string, FlowSchema>();
  const configure = (): void => control.configure([...schemas.values()], [...levels.values()]);
  const isSynced = { levels: false, schemas: false };
  const tellDangling = async (): Promise<void> => {
    if (!isSynced.levels || !isSynced.schemas) return;
    for (const one of schemas.values()) {
      const next = withDangling(one, levels, nowMs());
      if (next !== undefined) await update(objects, schemasName, next, signal);
    }
  };
  const follow = async (
    what: keyof typeof isSynced,
    of: ResourceName,
    into: Map<string, Resource>,
    defaults: readonly Resource[],
    onSynced: () => void,
  ): Promise<void> => {
    for await (const { type, object } of objects.follow(of, signal)) {
      const name = object?.metadata.name ?? '';
      if (type === 'put' && object !== undefined) into.set(name, object);
      else if (type === 'remove') into.delete(name);
      else {
        isSynced[what] = true;
        onSynced();
      }
      if (isSynced[what]) configure();
      await tellDangling().catch(onError);
      const wanted = defaults.find((one) => one.metadata.name === name);
      if (wanted !== undefined) await restore(objects, of, wanted, into.get(name), signal).catch(onError);
    }
  };
  const started = async (
    ...how: [keyof typeof isSynced, ResourceName, Map<string, Resource>, readonly Resource[]]
  ): Promise<void> =>
    await new Promise((resolve) => {
      follow(...how, resolve)
        .catch((error: unknown) => (signal.aborted ? undefined : onError(error)))
        .finally(resolve);
    });
  await Promise.all([
    started('levels', levelsName, levels, defaultLevels),
    started('schemas', schemasName, schemas, defaultSchemas),
  ]);
}

/** Brings a default object back to its specification, when it is one that stays, or asks for it. */
async function restore(
  objects: Objects,
  of: ResourceName,
  wanted: Resource,
  current: Resource | undefined,
  signal: AbortSignal,
): Promise<void> {
  const isMandatory = mandatoryNames.has(wanted.metadata.name ?? '');
  if (current === undefined) {
    if (isMandatory) await ensure(objects, of, structuredClone(wanted), signal);
    return;
  }
  if (!isMandatory && current.metadata.annotations?.[autoUpdateAnnotation] !== 'true') return;
  const spec = (wanted as { spec?: unknown }).spec;
  if (isDeepStrictEqual((current as { spec?: unknown }).spec, spec)) return;
  const generation = (current.metadata.generation ?? 0) + 1;
  const next = { ...current, metadata: { ...current.metadata, generation }, spec: structuredClone(spec) };
  await update(objects, of, next, signal);
}

async function update(objects: Objects, of: ResourceName, next: Resource, signal: AbortSignal): Promise<void> {
  await objects.update(of, next, signal).catch((error: unknown) => {
    // What was changed meanwhile comes again.
    if (!isReason(error, 'Conflict', 'NotFound')) throw error;
  });
}

/** The schema with the condition that says whether its level is there; undefined when it says so already. */
function withDangling(
  schema: FlowSchema,
  levels: ReadonlyMap<string, unknown>,
  nowMs: number,
): (FlowSchema & Resource) | undefined {
  const level = schema.spec?.priorityLevelConfiguration?.name ?? '';
  const isThere = levels.has(level);
  const [status, reason, fact] = isThere ? ['False', 'Found', 'and it exists'] : danglingWords;
  const conditions = schema.status?.conditions ?? [];
  const before = conditions.find(({ type }) => type === 'Dangling');
  const message = `This FlowSchema references the PriorityLevelConfiguration object named "${level}" ${fact}`;
  if (before?.status === status && before.message === message) return undefined;
  const now = new Date(nowMs).toISOString().replace(/\.\d+Z/, 'Z');
  const lastTransitionTime = (before?.status === status ? before.lastTransitionTime : undefined) ?? now;
  const condition = { type: 'Dangling', status, reason, message, lastTransitionTime };
  const others = conditions.filter((one) => one !== before);
  return {
    ...schema,
    metadata: { ...schema.metadata },
    status: { ...schema.status, conditions: [...others, condition] },
  };
}
