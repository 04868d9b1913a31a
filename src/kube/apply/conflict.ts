import { ApiError } from '../status.ts';
import { type FieldSet, type Path, pathsOf, printPath } from './field-set.ts';
import { type FieldOwner, identityOf, type Managed } from './managed-fields.ts';

/** A field that somebody else owns and that would get another value. */
export interface FieldConflict {
  readonly owner: Managed;
  readonly path: Path;
}

/** The conflicts of these fields with their owner. */
export function conflictsOf(owner: Managed, fields: FieldSet): readonly FieldConflict[] {
  return [...pathsOf(fields)].map((path) => ({ owner, path }));
}

/** 409 Conflict with a cause per field, in upstream's sentences. Conflicts of one owner stand together, owners are sorted. */
export function applyConflict(conflicts: readonly FieldConflict[]): ApiError {
  const causes = conflicts.map(({ owner, path }) => ({
    reason: 'FieldManagerConflict',
    message: `conflict with ${printOwner(owner)}`,
    field: printPath(path),
  }));
  return new ApiError('Conflict', sentence(conflicts), { causes });
}

function sentence(conflicts: readonly FieldConflict[]): string {
  const [first] = conflicts;
  if (conflicts.length === 1 && first !== undefined)
    return `Apply failed with 1 conflict: conflict with ${printOwner(first.owner)}: ${printPath(first.path)}`;
  const byOwner = Map.groupBy(conflicts, ({ owner }) => identityOf(owner));
  const sorted = [...byOwner].toSorted(([left], [right]) => (left < right ? -1 : 1));
  const lines = sorted.flatMap(([, fields]) => [
    ...fields.slice(0, 1).map(({ owner }) => `conflicts with ${printOwner(owner)}:`),
    ...fields.map(({ path }) => `- ${printPath(path)}`),
  ]);
  return `Apply failed with ${String(conflicts.length)} conflicts: ${lines.join('\n')}`;
}

function printOwner({ manager, operation, apiVersion, subresource }: FieldOwner): string {
  const name = JSON.stringify(manager) + (subresource === '' ? '' : ` with subresource ${JSON.stringify(subresource)}`);
  return operation === 'Update' ? `${name} using ${apiVersion}` : name;
}
