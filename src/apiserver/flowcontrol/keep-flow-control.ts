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

export interface KeepOptions {
  readonly objects: Objects;
  readonly control: FlowControl;
  /** Told of what goes wrong in the background; it goes on. */
  readonly onError: (error: unknown) => void;
}

/**
 * Makes the objects that every cluster has, and keeps the control as the objects say until the signal aborts: mandatory ones
 * are brought back, and all others that are annotated so. Resolves when the control is as the store says.
 */
export async function keepFlowControl(options: KeepOptions, signal: AbortSignal): Promise<void> {
  const { objects, control, onError } = options;
  for (const one of defaultLevels) await ensure(objects, levelsName, structuredClone(one), signal);
  for (const one of defaultSchemas) await ensure(objects, schemasName, structuredClone(one), signal);
  const levels = new Map<string, PriorityLevelConfiguration>();
  const schemas = new Map<string, FlowSchema>();
  const configure = (): void => control.configure([...schemas.values()], [...levels.values()]);
  const follow = async (
    of: ResourceName,
    into: Map<string, Resource>,
    defaults: readonly Resource[],
    onSynced: () => void,
  ): Promise<void> => {
    let isSynced = false;
    for await (const { type, object } of objects.follow(of, signal)) {
      const name = object?.metadata.name ?? '';
      if (type === 'put' && object !== undefined) into.set(name, object);
      else if (type === 'remove') into.delete(name);
      else {
        isSynced = true;
        onSynced();
      }
      if (isSynced) configure();
      const wanted = defaults.find((one) => one.metadata.name === name);
      if (wanted !== undefined) await restore(objects, of, wanted, into.get(name), signal).catch(onError);
    }
  };
  const started = async (...how: [ResourceName, Map<string, Resource>, readonly Resource[]]): Promise<void> =>
    await new Promise((resolve) => {
      follow(...how, resolve)
        .catch((error: unknown) => (signal.aborted ? undefined : onError(error)))
        .finally(resolve);
    });
  await Promise.all([started(levelsName, levels, defaultLevels), started(schemasName, schemas, defaultSchemas)]);
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
  await objects.update(of, next, signal).catch((error: unknown) => {
    // What was changed meanwhile comes again.
    if (!isReason(error, 'Conflict', 'NotFound')) throw error;
  });
}
