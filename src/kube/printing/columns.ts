import { formatHumanDuration } from '#formats/human-duration.ts';

import type { Column } from '../kind.ts';
import type { Resource } from '../resource.ts';

type Cell<R extends Resource> = Column<R>['cell'];

/** A column whose cells are text. */
export function text<R extends Resource>(name: string, description: string, cell: Cell<R>): Column<R> {
  return { name, type: 'string', format: '', description, priority: 0, cell };
}

export function count<R extends Resource>(name: string, description: string, cell: Cell<R>): Column<R> {
  return { ...text(name, description, cell), type: 'integer' };
}

export function flag<R extends Resource>(name: string, description: string, cell: Cell<R>): Column<R> {
  return { ...text(name, description, cell), type: 'boolean' };
}

/** Shown with `-o wide` only. */
export function wide<R extends Resource>(column: Column<R>): Column<R> {
  return { ...column, priority: 1 };
}

export const nameColumn: Column = {
  ...text('Name', 'Name of the object, unique among its kind and namespace.', (object) => object.metadata.name ?? ''),
  format: 'name',
};

export const ageColumn: Column = text('Age', 'Time since the object was created.', (object, nowMs) =>
  age(object.metadata.creationTimestamp, nowMs),
);

/** Columns of kinds that have none of their own. */
export const plainColumns: readonly Column[] = [
  nameColumn,
  text('Created At', 'When the object was created.', (object) => object.metadata.creationTimestamp ?? null),
];

/** The time since a time stamp, `<unknown>` without one. */
export function age(time: string | null | undefined, nowMs: number): string {
  const since = Date.parse(time ?? '');
  return Number.isNaN(since) ? '<unknown>' : formatHumanDuration(nowMs - since);
}
