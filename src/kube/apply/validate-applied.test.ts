import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { deployment, template, withMetadata } from '#kit/sample-objects.ts';
import { sampleDeployment } from '#kit/sample-schemas.ts';

import type { Resource } from '../resource.ts';
import { applyPatch, type ApplyWrite } from './apply-patch.ts';
import { emptySet } from './field-set.ts';

const write: ApplyWrite = {
  manager: 'alice',
  force: false,
  subresource: '',
  version: 'apps/v1',
  nowMs: Date.parse('2026-01-02T12:00:00Z'),
  schema: sampleDeployment,
  resetFields: emptySet,
};

describe('server-side apply refuses', () => {
  const rows: readonly (readonly [string, Resource, string])[] = [
    [
      'an unknown field',
      deployment({ replica: 1 }),
      'failed to create typed patch object (default/web; apps/v1, Kind=Deployment): .spec.replica: field not declared in schema',
    ],
    [
      'an item twice',
      deployment(template({ name: 'a', ports: [{ containerPort: 80 }, { containerPort: 80, protocol: 'TCP' }] })),
      'failed to create typed patch object (default/web; apps/v1, Kind=Deployment): ' +
        '.spec.template.spec.containers[name="a"].ports: duplicate entries for key [containerPort=80,protocol="TCP"]',
    ],
    [
      'a value twice in a set',
      withMetadata({ finalizers: ['a', 'a'] }),
      'failed to create typed patch object (default/web; apps/v1, Kind=Deployment): .metadata.finalizers: duplicate entries for key [="a"]',
    ],
    [
      'an item without its key',
      deployment(template({ image: 'x' })),
      'failed to create typed patch object (default/web; apps/v1, Kind=Deployment): .spec.template.spec.containers: ' +
        'element 0: associative list with keys has an element that omits key field "name" (and doesn\'t have default value)',
    ],
    [
      'several values of wrong types',
      deployment({
        replicas: '3',
        paused: 'yes',
        selector: ['x'],
        template: { spec: { containers: {}, restartPolicy: 1 } },
      }),
      'failed to create typed patch object (default/web; apps/v1, Kind=Deployment): errors:\n' +
        '  .spec.replicas: expected numeric (int or float), got *value.valueUnstructured\n' +
        '  .spec.paused: expected boolean, got &{yes}\n' +
        '  .spec.selector: expected map, got &{[x]}\n' +
        '  .spec.template.spec.containers: expected list, got &{map[]}\n' +
        '  .spec.template.spec.restartPolicy: expected string, got &value.valueUnstructured{Value:1}',
    ],
    [
      'another version',
      { ...deployment({}), apiVersion: 'apps/v2' },
      'Incorrect version specified in apply patch. Specified patch version: apps/v2, expected: apps/v1',
    ],
    ['owners', withMetadata({ managedFields: [] }), 'metadata.managedFields must be nil'],
  ];
  for (const [name, config, message] of rows) {
    test(name, () => assert.throws(() => applyPatch(undefined, config, write), { code: 400, message }));
  }

  test('owners of the live object that cannot be read', () => {
    const entry = { operation: 'Apply', apiVersion: 'v1', fieldsType: 'FieldsV1', fieldsV1: { 'k:x': {} } } as const;
    const live = { ...deployment({}), metadata: { name: 'web', managedFields: [entry] } };
    assert.throws(() => applyPatch(live, deployment({}), write), /failed to decode managed fields: error decoding set/);
  });
});
