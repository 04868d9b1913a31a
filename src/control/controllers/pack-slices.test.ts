import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { array, assert as check, integer, property, uniqueArray } from 'fast-check';

import type { Endpoint, EndpointSlice } from '#kube/types/gen/discovery-v1.ts';

import { packSlices, type SlicePlan } from './pack-slices.ts';

const ports = [{ name: '', port: 80, protocol: 'TCP' }];

describe('slices', () => {
  test('are made for what is new', () => {
    const plan = packSlices([], [{ ports, endpoints: endpoints(0, 5) }], 2);
    assert.deepEqual(
      plan.create.map(({ endpoints: made }) => made.length),
      [2, 2, 1],
    );
  });

  test('without endpoints are left where there are none', () => {
    assert.deepEqual(packSlices([], [], 100).create, [{ ports: [], endpoints: [] }]);
    const full = slice('a', endpoints(0, 2));
    assert.deepEqual(packSlices([full], [], 100).update, [{ slice: full, content: { ports: [], endpoints: [] } }]);
    const empty = slice('a', [], []);
    assert.deepEqual(packSlices([empty], [], 100), { create: [], update: [], remove: [], keep: [empty] });
  });

  test('that have to be written anyhow are filled first', () => {
    const one = slice('one', endpoints(0, 3));
    const other = slice('other', endpoints(3, 6));
    const plan = packSlices([one, other], [{ ports, endpoints: endpoints(1, 7) }], 3);
    assert.deepEqual(plan.keep, [other]);
    assert.deepEqual(
      plan.update.map((update) => update.slice),
      [one],
    );
    assert.deepEqual(plan.create, []);
  });

  test('hold each endpoint once, are never too long, and nothing is written twice', () => {
    const numbers = uniqueArray(integer({ min: 0, max: 40 }), { maxLength: 30 });
    check(
      property(numbers, array(numbers, { maxLength: 6 }), integer({ min: 1, max: 7 }), (wanted, before, most) => {
        const existing = before.map((indexes, at) => slice(`s${String(at)}`, indexes.map(endpoint)));
        const groups = wanted.length === 0 ? [] : [{ ports, endpoints: wanted.map(endpoint) }];
        const plan = packSlices(existing, groups, most);
        const after = apply(plan);
        const all = after.flatMap(({ endpoints: content = [] }) => content.map(({ addresses }) => addresses?.[0]));
        assert.deepEqual(new Set(all), new Set(wanted.map((index) => endpoint(index).addresses?.[0])));
        assert.equal(all.length, wanted.length);
        assert.ok(after.every(({ endpoints: content = [] }) => content.length <= most));
        assert.ok(after.length >= 1);
        const touched = [...plan.keep, ...plan.remove, ...plan.update.map((update) => update.slice)];
        assert.equal(new Set(touched).size, existing.length);
        assert.equal(touched.length, existing.length);
        const again = packSlices(after, groups, most);
        assert.deepEqual([again.create, again.update, again.remove], [[], [], []]);
      }),
    );
  });
});

function apply({ create, update, keep }: SlicePlan): EndpointSlice[] {
  return [
    ...keep,
    ...update.map((one) => slice(one.slice.metadata.name ?? '', one.content.endpoints, one.content.ports)),
    ...create.map((content, index) => slice(`new${String(index)}`, content.endpoints, content.ports)),
  ];
}

function slice(name: string, content: readonly Endpoint[], of: EndpointSlice['ports'] | readonly object[] = ports) {
  const made: EndpointSlice = {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name },
    endpoints: [...content],
    ports: [...(of ?? [])],
  };
  return made;
}

function endpoint(index: number): Endpoint {
  return { addresses: [`10.0.0.${String(index)}`], targetRef: { kind: 'Pod', uid: String(index) } };
}

function endpoints(from: number, to: number): Endpoint[] {
  return Array.from({ length: to - from }, (_, index) => endpoint(from + index));
}
