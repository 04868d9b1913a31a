import { createHash } from 'node:crypto';

import type { JsonValue } from '#base/json.ts';

/** Bumped when steps begin to mean something else, so that old layers are not taken for new ones. */
const version = 1;

/** The name of a step in the cache: a digest over everything that decides what it makes. */
export function stepKey(kind: string, parts: JsonValue): string {
  return createHash('sha256')
    .update(JSON.stringify([version, kind, parts]))
    .digest('hex');
}
