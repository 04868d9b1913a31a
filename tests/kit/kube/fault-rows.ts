import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { faultsOf, type Fields } from './faults-of.ts';

/** What is written, what is wrong with it; and for updates what there was. */
export interface FaultRow {
  readonly kind: string;
  readonly is: string;
  readonly object: Fields;
  readonly old?: Fields;
  readonly faults: readonly string[];
}

/** A test for each row. */
export function testFaults(name: string, rows: readonly FaultRow[]): void {
  describe(name, () => {
    for (const { kind, is, object, old, faults } of rows)
      test(`${kind}: ${is}`, () => assert.deepEqual(faultsOf(kind, object, old), faults));
  });
}

export function specOf(spec: Fields): Fields {
  return { spec };
}

export const subdomainRule =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character";
