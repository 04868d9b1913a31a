import type { KindDef } from '#kube/kind.ts';
import type { Resource } from '#kube/resource.ts';

import { partialObject } from './partial-metadata.ts';

/** What of an object a row carries beside its cells. */
export type IncludeObject = 'None' | 'Metadata' | 'Object';

/** meta/v1 Table, as `kubectl get` shows it. */
export function tableOf(
  def: Pick<KindDef, 'columns'>,
  objects: readonly Resource[],
  metadata: object,
  include: IncludeObject,
  nowMs: number,
): object {
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata,
    columnDefinitions: def.columns.map(({ name, type, format, description, priority }) => ({
      name,
      type,
      format,
      description,
      priority,
    })),
    rows: objects.map((object) => rowOf(def, object, include, nowMs)),
  };
}

function rowOf(def: Pick<KindDef, 'columns'>, object: Resource, include: IncludeObject, nowMs: number): object {
  const cells = def.columns.map(({ cell }) => cell(object, nowMs));
  if (include === 'None') return { cells, object: null };
  return { cells, object: include === 'Object' ? object : partialObject(object) };
}
