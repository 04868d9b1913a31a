import { invalid } from '../faults.ts';
import type { Faults } from '../object-meta.ts';

export function* noBackstepsFaults(path: string, target: string): Faults {
  if (target.split('/').includes('..')) yield invalid(path, target, "must not contain '..'");
}

/** A path below some folder. */
export function* descendingPathFaults(path: string, target: string): Faults {
  if (target.startsWith('/')) yield invalid(path, target, 'must be a relative path');
  yield* noBackstepsFaults(path, target);
}

/** The same, in a folder where names that begin with two points are taken. */
export function* unreservedPathFaults(path: string, target: string): Faults {
  yield* descendingPathFaults(path, target);
  if (target.startsWith('..') && target !== '..' && !target.startsWith('../'))
    yield invalid(path, target, "must not start with '..'");
}

/** Permissions of files, as a number. */
export function* fileModeFaults(path: string, mode: number | undefined): Faults {
  if (mode !== undefined && (mode < 0 || mode > 0o777))
    yield invalid(path, mode, 'must be a number between 0 and 0777 (octal), both inclusive');
}
