import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { isObject } from '#base/json.ts';
import { deployment, template } from '#kit/sample-objects.ts';
import { sampleDeployment } from '#kit/sample-schemas.ts';

import { applyJsonPatch } from '../patch/json-patch.ts';
import { copyJson, put, type Tree } from '../patch/json-tree.ts';
import { applyMergePatch } from '../patch/merge-patch.ts';
import { applyStrategicMergePatch } from '../patch/strategic-merge-patch.ts';
import type { Resource } from '../resource.ts';
import { ApiError } from '../status.ts';
import { applyPatch, type ApplyWrite } from './apply-patch.ts';
import { emptySet } from './field-set.ts';
import { updateManagedFields } from './update-managed-fields.ts';

const write: ApplyWrite = {
  manager: 'kubectl',
  force: true,
  subresource: '',
  version: 'apps/v1',
  nowMs: 0,
  schema: sampleDeployment,
  resetFields: emptySet,
};
const valid = deployment({
  replicas: 1,
  strategy: { type: 'x', rollingUpdate: { maxSurge: 1 } },
  ...template(
    { name: 'a', ports: [{ containerPort: 80, protocol: 'TCP' }], env: [{ name: 'E', value: '1' }] },
    { name: 'b' },
  ),
});
const live = applyPatch(undefined, valid, write);
const odd = fc.oneof(
  fc.constantFrom<unknown>(null, 0, -1, 1e21, '', 'x', true, [], {}, [null], [[]], [{}], { $patch: 'delete' }),
  fc.jsonValue({ maxDepth: 2 }),
);
const directives = fc.constantFrom(
  '$patch',
  '$retainKeys',
  '$setElementOrder/containers',
  '$setElementOrder/ports',
  '$deleteFromPrimitiveList/finalizers',
  '$setElementOrder',
  '__proto__',
  'constructor',
);

/** The valid object with some of its parts taken out, doubled, or made something else. */
const mutations = fc
  .tuple(
    fc.array(fc.nat({ max: 30 }), { minLength: 40, maxLength: 80 }),
    fc.array(odd, { minLength: 4, maxLength: 4 }),
    fc.array(directives, { minLength: 3, maxLength: 3 }),
  )
  .map(([chances, values, names]) => mutated(valid, new Dice(chances, values, names)))
  .filter(isObject);

test('whatever is applied gives an object or an ApiError', () => {
  fc.assert(
    fc.property(mutations, (object) => {
      const applied = { ...object, apiVersion: 'apps/v1', kind: 'Deployment' } as unknown as Resource;
      for (const before of [undefined, live]) answersWell(() => applyPatch(before, applied, write), applied);
    }),
    { numRuns: 500 },
  );
});

test('whatever is written gives an object with owners that can be read', () => {
  fc.assert(
    fc.property(mutations, odd, (object, managedFields) => {
      const metadata = isObject(object['metadata']) ? object['metadata'] : {};
      const updated = { ...object, metadata: { ...metadata, managedFields } } as unknown as Resource;
      for (const before of [undefined, live]) {
        const written = updateManagedFields(before, updated, write);
        answersWell(() => applyPatch(written, valid, write), updated);
      }
    }),
    { numRuns: 500 },
  );
});

test('whatever is patched gives an object or an ApiError', () => {
  fc.assert(
    fc.property(mutations, fc.dictionary(directives, odd), (object, more) => {
      const patch = { ...object, ...more, spec: { ...(isObject(object['spec']) ? object['spec'] : {}), ...more } };
      answersWell(() => applyStrategicMergePatch(live, patch, sampleDeployment), patch);
      answersWell(() => applyStrategicMergePatch(object, valid, sampleDeployment), object);
      answersWell(() => applyMergePatch(live, patch), patch);
      answersWell(() => applyJsonPatch(object, [{ op: 'add', path: '/spec/template', value: patch }]), object);
    }),
    { numRuns: 500 },
  );
});

function answersWell(work: () => unknown, given: unknown): void {
  const before = JSON.stringify([given, live]);
  try {
    assert.ok(isObject(work()));
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    assert.ok(error.code < 500, error.message);
  }
  assert.equal(JSON.stringify([given, live]), before, 'the arguments stay as they are');
}

/** Gives its numbers, values and names one after the other, and again from the start. */
class Dice {
  readonly #chances: readonly number[];
  readonly #values: readonly unknown[];
  readonly #names: readonly string[];
  #at = 0;

  constructor(chances: readonly number[], values: readonly unknown[], names: readonly string[]) {
    this.#chances = chances;
    this.#values = values;
    this.#names = names;
  }

  chance(): number {
    return this.#chances[this.#at++ % this.#chances.length] ?? 0;
  }

  value(): unknown {
    return this.#values[this.#at % this.#values.length];
  }

  name(): string {
    return this.#names[this.#at % this.#names.length] ?? '';
  }
}

function mutated(value: unknown, dice: Dice): unknown {
  const chance = dice.chance();
  if (chance === 0) return dice.value();
  if (Array.isArray(value)) {
    const items = value.map((item) => mutated(item, dice));
    return chance === 1 ? [...items, ...(copyJson(items) as unknown[])] : items;
  }
  if (!isObject(value)) return value;
  const result: Tree = {};
  for (const [key, item] of Object.entries(value)) {
    const fate = dice.chance();
    if (fate === 1) put(result, dice.name(), dice.value());
    if (fate > 0) put(result, key, mutated(item, dice));
  }
  return result;
}
