import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { type Fields, kindNamed } from './faults-of.ts';

/** Kind (with version where there are several), what is written, what it becomes; metadata apart. */
export type DefaultRow = readonly [kind: string, written: Fields, expected: Fields];

/** A test for each row. */
export function testDefaults(name: string, rows: readonly DefaultRow[]): void {
  describe(name, () => {
    for (const [index, [kind, written, expected]] of rows.entries()) {
      test(`${kind} ${String(index)}`, () => {
        const object = { apiVersion: 'x', kind, metadata: {}, ...structuredClone(written) };
        kindNamed(kind).setDefaults?.(object);
        assert.deepEqual(object, { apiVersion: 'x', kind, metadata: {}, ...expected });
      });
    }
  });
}

/** What every pod spec gets. */
export const podSpecDefaults = {
  dnsPolicy: 'ClusterFirst',
  restartPolicy: 'Always',
  securityContext: {},
  terminationGracePeriodSeconds: 30,
  schedulerName: 'default-scheduler',
};

/** What a template without anything becomes. */
export const templateDefaults = { metadata: {}, spec: podSpecDefaults };
