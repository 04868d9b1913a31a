import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { faultsOf } from '#kit/kube/faults-of.ts';
import { ordinaryObjects } from '#kit/kube/ordinary-objects.ts';

describe('ordinary objects', () => {
  for (const [index, [kind, object]] of ordinaryObjects.entries()) {
    test(`${kind} ${String(index)}`, () => {
      assert.deepEqual(faultsOf(kind, object), []);
      // Sending the same again is no change; but for jobs, whose selector is made for them.
      if (kind !== 'Job') assert.deepEqual(faultsOf(kind, object, object), []);
    });
  }
});
