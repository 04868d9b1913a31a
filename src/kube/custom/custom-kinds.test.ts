import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import type { Resource } from '../resource.ts';
import type { CustomResourceDefinition } from '../types/gen/apiextensions-v1.ts';
import { causesOf } from '../validation/faults.ts';
import { compareVersions, customKinds } from './custom-kinds.ts';
import { definitionFaults, setDefinitionDefaults } from './definition.ts';

const schema = {
  type: 'object',
  required: ['spec'],
  properties: {
    spec: {
      type: 'object',
      properties: {
        replicas: { type: 'integer', format: 'int32', minimum: 1, default: 2 },
        color: { type: 'string', enum: ['red', 'blue'] },
        ports: {
          type: 'array',
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['name'],
          items: {
            type: 'object',
            required: ['name'],
            properties: { name: { type: 'string' }, port: { type: 'integer' } },
          },
        },
      },
    },
    status: { type: 'object', properties: { ready: { type: 'boolean' } } },
  },
};

function definition(change: (spec: NonNullable<CustomResourceDefinition['spec']>) => void = () => undefined) {
  const object: CustomResourceDefinition = {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'widgets.example.com' },
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names: { plural: 'widgets', kind: 'Widget', shortNames: ['wd'] },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: { openAPIV3Schema: structuredClone(schema) },
          subresources: {
            status: {},
            scale: { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.ready' },
          },
          additionalPrinterColumns: [
            { name: 'Replicas', type: 'integer', jsonPath: '.spec.replicas' },
            { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
          ],
          selectableFields: [{ jsonPath: '.spec.color' }],
        },
        {
          name: 'v1beta1',
          served: true,
          storage: false,
          deprecated: true,
          schema: { openAPIV3Schema: { type: 'object' } },
        },
        { name: 'v2', served: false, storage: false, schema: { openAPIV3Schema: { type: 'object' } } },
      ],
    },
  };
  setDefinitionDefaults(object);
  if (object.spec !== undefined) change(object.spec);
  return object;
}

function widget(spec: unknown, more: Record<string, unknown> = {}): Resource {
  return { apiVersion: 'example.com/v1', kind: 'Widget', metadata: { name: 'a', namespace: 'default' }, spec, ...more };
}

const faults = (of: CustomResourceDefinition, old?: CustomResourceDefinition) =>
  causesOf([...definitionFaults(of, old)]).map(({ field, message }) => `${field}: ${message}`);

describe('kinds of a definition', () => {
  const [other, kind, beta] = customKinds(definition());
  assert.ok(kind !== undefined && beta !== undefined);

  test('are those of its versions, the preferred one first', () => {
    assert.deepEqual(
      [other, kind, beta].map((one) => [one?.version, one?.isServed, one?.isStored]),
      [
        ['v2', false, false],
        ['v1', true, true],
        ['v1beta1', true, false],
      ],
    );
    assert.equal(beta.deprecationWarning, 'example.com/v1beta1 Widget is deprecated');
    assert.deepEqual([kind.singular, kind.shortNames, kind.scope], ['widget', ['wd'], 'Namespaced']);
    assert.deepEqual(
      kind.subresources.map(({ name }) => name),
      ['status', 'scale'],
    );
    assert.deepEqual(kind.scalePaths, {
      specReplicas: '.spec.replicas',
      statusReplicas: '.status.ready',
      labelSelector: undefined,
    });
  });

  test('prune, default and validate', () => {
    const object = widget({ foo: 1, color: 'red', ports: [{ name: 'a', bar: 1 }] }, { more: true });
    assert.deepEqual(kind.prune(object as Record<string, unknown>), ['more', 'spec.foo', 'spec.ports[0].bar']);
    kind.setDefaults?.(object);
    assert.deepEqual(object['spec'], { color: 'red', ports: [{ name: 'a' }], replicas: 2 });
    assert.deepEqual(kind.validate?.(object, undefined), []);
    const wrong = kind.validate?.(widget({ replicas: 'x', color: 'green' }), undefined) ?? [];
    assert.deepEqual(
      causesOf(wrong).map(({ field, message }) => `${field}: ${message}`),
      [
        'spec.replicas: Invalid value: "string": spec.replicas in body must be of type integer: "string"',
        'spec.color: Unsupported value: "green": supported values: "red", "blue"',
      ],
    );
  });

  test('count generations, and leave the status to its subresource', () => {
    const object = widget({ replicas: 1 }, { status: { ready: true } });
    kind.prepare?.(object, undefined);
    assert.equal(object['status'], undefined);
    assert.equal(object.metadata.generation, 1);
    const old = { ...object, status: { ready: true } };
    const changed = widget({ replicas: 2 }, { status: { ready: false } });
    kind.prepare?.(changed, old);
    assert.deepEqual(changed['status'], { ready: true });
    assert.equal(changed.metadata.generation, 2);
    const same = widget({ replicas: 1 });
    kind.prepare?.(same, old);
    assert.equal(same.metadata.generation, 1);
  });

  test('apply rules in CEL', () => {
    const [, ruled] = customKinds(
      definition((spec) => {
        const root = spec.versions?.[0]?.schema?.openAPIV3Schema as { properties: { spec: Record<string, unknown> } };
        root.properties.spec['x-kubernetes-validations'] = [{ rule: 'self.replicas < 5', message: 'fewer than 5' }];
      }),
    );
    assert.deepEqual(causesOf(ruled?.validate?.(widget({ replicas: 7 }), undefined) ?? []), [
      { reason: 'FieldValueInvalid', field: 'spec', message: 'Invalid value: "object": fewer than 5' },
    ]);
    assert.deepEqual(ruled?.validate?.(widget({ replicas: 2 }), undefined), []);
  });

  test('have columns and fields to select by', () => {
    const object = widget({ replicas: 3, color: 'blue' });
    assert.deepEqual(
      kind.columns.map(({ name, cell }) => [name, cell(object, 0)]),
      [
        ['Name', 'a'],
        ['Replicas', 3],
        ['Age', null],
      ],
    );
    assert.equal(kind.selectableFields['spec.color']?.(object), 'blue');
    assert.deepEqual(
      beta.columns.map(({ name }) => name),
      ['Name', 'Age'],
    );
  });

  test('have a type for patches and server-side apply', () => {
    const spec = kind.schema.fields.get('spec')?.schema;
    assert.ok(spec?.type === 'struct');
    const ports = spec.fields.get('ports')?.schema;
    assert.ok(ports?.type === 'list');
    assert.deepEqual([ports.kind, ports.keys], ['map', ['name']]);
    assert.equal(spec.fields.get('replicas')?.defaultValue, 2);
    assert.ok(kind.schema.fields.has('metadata') && kind.schema.fields.has('apiVersion'));
  });

  test('versions have an order', () => {
    const versions = ['v1alpha2', 'foo1', 'v10', 'v1beta1', 'v1', 'bar', 'v2', 'v1beta2'];
    assert.deepEqual(versions.toSorted(compareVersions), [
      'v10',
      'v2',
      'v1',
      'v1beta2',
      'v1beta1',
      'v1alpha2',
      'bar',
      'foo1',
    ]);
  });
});

describe('a definition', () => {
  test('gets its defaults', () => {
    const { names, conversion } = definition().spec ?? {};
    assert.deepEqual([names?.singular, names?.listKind, conversion], ['widget', 'WidgetList', { strategy: 'None' }]);
    assert.deepEqual(faults(definition()), []);
  });

  const rows: readonly (readonly [Parameters<typeof definition>[0], string])[] = [
    [
      (spec) => {
        const schema = { type: 'object', 'x-kubernetes-validations': [{ rule: 'self.nothing' }] };
        if (spec.versions?.[0] !== undefined) spec.versions[0].schema = { openAPIV3Schema: schema };
      },
      `spec.versions[0].schema.openAPIV3Schema.x-kubernetes-validations[0].rule: Invalid value: "self.nothing": compilation failed`,
    ],
    [
      (spec) => {
        spec.group = 'example';
      },
      'metadata.name: Invalid value: "widgets.example.com": must be spec.names.plural+"."+spec.group',
    ],
    [
      (spec) => {
        spec.scope = 'Everywhere';
      },
      'spec.scope: Unsupported value: "Everywhere": supported values: "Cluster", "Namespaced"',
    ],
    [
      (spec) => {
        spec.versions?.forEach((version) => (version.storage = false));
      },
      'must have exactly one version marked as storage version',
    ],
    [
      (spec) => {
        delete spec.versions?.[0]?.schema;
      },
      'spec.versions[0].schema.openAPIV3Schema: Required value: schemas are required',
    ],
    [
      (spec) => {
        spec.versions?.splice(1, 2);
        spec.versions?.push({
          name: 'v1',
          served: true,
          storage: false,
          schema: { openAPIV3Schema: { type: 'object' } },
        });
      },
      'spec.versions[1].name: Duplicate value: "v1"',
    ],
    [
      (spec) => {
        const [version] = spec.versions ?? [];
        if (version?.additionalPrinterColumns?.[0] !== undefined) version.additionalPrinterColumns[0].jsonPath = 'spec';
      },
      'spec.versions[0].additionalPrinterColumns[0].jsonPath: Invalid value: "spec": must be a simple json path starting with .',
    ],
    [
      (spec) => {
        spec.conversion = { strategy: 'Webhook' };
      },
      'spec.conversion.webhookClientConfig: Required value: required when strategy is set to Webhook',
    ],
    [
      (spec) => {
        spec.names = { ...spec.names, kind: 'Widget', listKind: 'Widget' };
      },
      'spec.names.listKind: Invalid value: "Widget": kind and listKind may not be the same',
    ],
  ];
  for (const [change, text] of rows)
    test(`is refused: ${text}`, () => {
      const found = faults(definition(change));
      assert.ok(
        found.some((fault) => fault.includes(text)),
        found.join('\n'),
      );
    });

  test('keeps its names and stored versions', () => {
    const old = definition();
    const changed = definition((spec) => {
      spec.scope = 'Cluster';
      spec.versions?.shift();
      if (spec.versions?.[0] !== undefined) spec.versions[0].storage = true;
    });
    assert.deepEqual(
      faults({ ...changed, status: { storedVersions: ['v1'] } }, old).map((fault) => fault.split(': ')[0]),
      ['spec.scope', 'status.storedVersions[0]'],
    );
  });
});
