import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import type { Resource } from '../resource.ts';
import { type BuiltinResource, builtinResources } from '../schemas/builtin-resources.ts';
import { kinds } from './kinds.ts';

type Shape = Pick<BuiltinResource, 'kind' | 'scope' | 'verbs'> & {
  readonly subresources: readonly {
    readonly name: string;
    readonly verbs: readonly string[];
    readonly body: unknown;
  }[];
};

/** What a kind and the specification's resource must agree on. */
function shapeOf({ kind, scope, verbs, subresources }: Shape & { group: string; version: string }): unknown {
  const parts = subresources.map((one) => {
    const body = one.body as { readonly kind: string } | undefined;
    return `${one.name} ${body?.kind ?? kind}: ${one.verbs.toSorted().join(' ')}`;
  });
  return { kind, scope, verbs: verbs.toSorted(), parts: parts.toSorted() };
}

const nowMs = Date.parse('2026-01-02T00:00:00Z');

describe('every kind', () => {
  for (const kind of kinds) {
    const name = `${kind.kind}.${kind.version}.${kind.group}`;
    test(name, () => {
      assert.match(kind.plural, /^[a-z]+$/);
      assert.equal(kind.schema.type, 'struct');
      const resource = builtinResources().find(
        ({ group, version, plural }) => group === kind.group && version === kind.version && plural === kind.plural,
      );
      assert.deepEqual(shapeOf(kind), resource === undefined ? undefined : shapeOf(resource));
      assert.equal(new Set(kind.columns.map((column) => column.name)).size, kind.columns.length);
      // Tables are made of objects that lack everything, too.
      const empty: Resource = { apiVersion: '', kind: kind.kind, metadata: {} };
      for (const column of kind.columns) assert.notEqual(column.cell(empty, nowMs), undefined, column.name);
      for (const read of Object.values(kind.selectableFields)) assert.equal(typeof read(empty), 'string');
    });
  }

  test('has a path of its own, and short names that mean nothing else', () => {
    const paths = kinds.map(({ group, version, plural }) => `${group}/${version}/${plural}`);
    assert.equal(new Set(paths).size, kinds.length);
    const owners = new Map<string, string>();
    for (const { plural, shortNames } of kinds) {
      for (const short of shortNames) {
        assert.equal(owners.get(short) ?? plural, plural, short);
        owners.set(short, plural);
      }
    }
  });
});

describe('kinds that are stored as others', () => {
  const find = (group: string, version: string) => {
    const kind = kinds.find((one) => one.group === group && one.version === version);
    assert.ok(kind?.storedAs !== undefined);
    return kind.storedAs;
  };

  test('an event is one object under two names', () => {
    const { toStored, fromStored, kind } = find('events.k8s.io', 'v1');
    const event = {
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata: { name: 'a' },
      note: 'n',
      regarding: { kind: 'Pod', name: 'p' },
      reportingController: 'c',
      deprecatedCount: 2,
      type: 'Normal',
    };
    const stored = toStored(event);
    assert.deepEqual(stored, {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: 'a' },
      message: 'n',
      involvedObject: { kind: 'Pod', name: 'p' },
      reportingComponent: 'c',
      count: 2,
      type: 'Normal',
    });
    assert.deepEqual(fromStored(stored), event);
    assert.equal(kind.plural, 'events');
  });

  test('an autoscaler of version 1 keeps the rest of version 2 in annotations', () => {
    const { toStored, fromStored } = find('autoscaling', 'v1');
    const cpu = {
      type: 'Resource',
      resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } },
    };
    const memory = {
      type: 'Resource',
      resource: { name: 'memory', target: { type: 'AverageValue', averageValue: '1Gi' } },
    };
    const stored = {
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      metadata: { name: 'a', annotations: { mine: 'x' } },
      spec: { maxReplicas: 3, metrics: [cpu, memory], behavior: { scaleDown: { stabilizationWindowSeconds: 5 } } },
      status: {
        desiredReplicas: 1,
        conditions: [{ type: 'AbleToScale', status: 'True' }],
        currentMetrics: [{ type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: 7 } } }],
      },
    };
    const old = fromStored(stored);
    assert.deepEqual(old['spec'], { maxReplicas: 3, targetCPUUtilizationPercentage: 50 });
    assert.deepEqual(old['status'], { desiredReplicas: 1, currentCPUUtilizationPercentage: 7 });
    assert.deepEqual(Object.keys(old.metadata.annotations ?? {}), [
      'mine',
      'autoscaling.alpha.kubernetes.io/metrics',
      'autoscaling.alpha.kubernetes.io/current-metrics',
      'autoscaling.alpha.kubernetes.io/conditions',
      'autoscaling.alpha.kubernetes.io/behavior',
    ]);
    assert.deepEqual(toStored(old), stored);
  });

  test('an annotation of a user that is no JSON does not matter', () => {
    const { toStored } = find('autoscaling', 'v1');
    const metadata = { name: 'a', annotations: { 'autoscaling.alpha.kubernetes.io/metrics': '{' } };
    const stored = toStored({ apiVersion: 'autoscaling/v1', kind: 'HorizontalPodAutoscaler', metadata, spec: {} });
    assert.deepEqual(stored.metadata, { name: 'a' });
  });
});
