import { createRequire } from 'node:module';

import type { JsonSchema } from './json-schema.ts';
import type * as rules from './rules.ts';

/** Whether a schema has rules anywhere. */
export function hasRules(schema: JsonSchema): boolean {
  return JSON.stringify(schema).includes('"x-kubernetes-validations"');
}

/** The engine of expressions takes memory that a cluster without rules does not need: it is loaded by the first schema with some. */
export function loadRules(): typeof rules {
  return createRequire(import.meta.url)('./rules.ts') as typeof rules;
}
