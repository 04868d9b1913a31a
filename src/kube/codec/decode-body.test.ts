import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { builtinSchema, builtinTypeKey } from '../schemas/builtin-schemas.ts';
import { ApiError } from '../status.ts';
import { bodyFormat, decodeBody, decodePlain, type FieldValidation } from './decode-body.ts';
import { encodeProtobuf } from './protobuf-envelope.ts';

const kindOf = (apiVersion: string, kind: string) => {
  const [version = '', group = ''] = apiVersion.split('/').reverse();
  return { group, version, kind };
};

function decode(text: string, fieldValidation: FieldValidation = 'Strict', type = 'application/json', of = deployment) {
  return decodeBody(Buffer.from(text), type, builtinSchema(of.group, of.version, of.kind), {
    fieldValidation,
    kind: of,
  });
}

const deployment = kindOf('apps/v1', 'Deployment');
const pod = kindOf('v1', 'Pod');
const service = kindOf('v1', 'Service');

function messageOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof ApiError, String(error));
    return error.message;
  }
  return assert.fail('nothing was refused');
}

const inDeployment = 'Deployment in version "v1" cannot be handled as a Deployment: ';

describe('JSON of the wrong type is refused in the words of Go', () => {
  const rows: readonly (readonly [string, string])[] = [
    [
      '{"spec":{"replicas":"three"}}',
      'json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32',
    ],
    [
      '{"spec":{"replicas":3000000000}}',
      'json: cannot unmarshal number 3000000000 into Go struct field DeploymentSpec.spec.replicas of type int32',
    ],
    [
      '{"spec":{"replicas":1.5}}',
      'json: cannot unmarshal number 1.5 into Go struct field DeploymentSpec.spec.replicas of type int32',
    ],
    ['{"spec":[]}', 'json: cannot unmarshal array into Go struct field Deployment.spec of type v1.DeploymentSpec'],
    [
      '{"spec":{"template":{"spec":{"containers":{}}}}}',
      'json: cannot unmarshal object into Go struct field PodSpec.spec.template.spec.containers of type []v1.Container',
    ],
    [
      '{"spec":{"template":{"spec":{"containers":[{"name":1}]}}}}',
      'json: cannot unmarshal number into Go struct field Container.spec.template.spec.containers.name of type string',
    ],
    [
      '{"spec":{"template":{"spec":{"containers":[{"ports":[{"protocol":true}]}]}}}}',
      'json: cannot unmarshal bool into Go struct field ContainerPort.spec.template.spec.containers.ports.protocol of type v1.Protocol',
    ],
    [
      '{"metadata":{"labels":{"a":1}}}',
      'json: cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of type string',
    ],
    [
      '{"metadata":{"creationTimestamp":"yesterday"}}',
      'parsing time "yesterday" as "2006-01-02T15:04:05Z07:00": cannot parse "yesterday" as "2006"',
    ],
    [
      '{"metadata":{"creationTimestamp":"2026-02-30T00:00:00Z"}}',
      'parsing time "2026-02-30T00:00:00Z": day out of range',
    ],
    [
      '{"spec":{"template":{"spec":{"containers":[{"resources":{"limits":{"cpu":"lots"}}}]}}}}',
      "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
    ],
    [
      '{"spec":{"strategy":{"rollingUpdate":{"maxSurge":true}}}}',
      'json: cannot unmarshal bool into Go value of type int32',
    ],
    [
      '{"kind":1}',
      "couldn't get version/kind; json parse error: json: cannot unmarshal number into Go struct field .kind of type string",
    ],
    ['{', "couldn't get version/kind; json parse error: unexpected end of JSON input"],
    ['{"a" 1}', "couldn't get version/kind; json parse error: invalid character '1' after object key"],
    ['nothing', "couldn't get version/kind; json parse error: invalid character 'o' in literal null (expecting 'u')"],
    ['{"a":1}x', "couldn't get version/kind; json parse error: invalid character 'x' after top-level value"],
  ];
  for (const [body, message] of rows)
    test(body.slice(0, 60), () => {
      assert.equal(
        messageOf(() => decode(body)),
        inDeployment + message,
      );
    });

  test('a list is no object', () => {
    assert.match(
      messageOf(() => decode('[]')),
      /cannot unmarshal array into Go value of type struct \{ APIVersion string/,
    );
  });
});

describe('field validation', () => {
  const body =
    '{"spec":{"unknown1":1,"unknownDupe":1,"unknownDupe":2,"paused":true,"paused":false,"template":{"spec":{"containers":[{"name":"a","nested":1,"image":"a","image":"b"}]}}}}';
  const errors = [
    'unknown field "spec.unknown1"',
    'unknown field "spec.unknownDupe"',
    'duplicate field "spec.paused"',
    'unknown field "spec.template.spec.containers[0].nested"',
    'duplicate field "spec.template.spec.containers[0].image"',
  ];

  test('Strict refuses unknown and repeated fields', () => {
    assert.equal(
      messageOf(() => decode(body)),
      `${inDeployment}strict decoding error: ${errors.join(', ')}`,
    );
  });

  test('Warn takes the last value, drops the unknown, and says so', () => {
    const { object, warnings } = decode(body, 'Warn');
    assert.deepEqual(warnings, errors);
    const [container] = (object['spec'] as { template: { spec: { containers: unknown[] } } }).template.spec.containers;
    assert.deepEqual(container, { name: 'a', image: 'b', resources: {} });
  });

  test('Ignore says nothing', () => {
    assert.deepEqual(decode(body, 'Ignore').warnings, []);
  });

  test('names of fields have their case', () => {
    assert.match(
      messageOf(() => decode('{"Spec":{}}')),
      /unknown field "Spec"/,
    );
  });

  test('YAML tells of repeated keys with their line', () => {
    assert.equal(
      messageOf(() => decode('spec:\n  paused: true\n  paused: false\n  foo: 1\n', 'Strict', 'application/yaml')),
      `${inDeployment}strict decoding error: yaml: unmarshal errors:\n  line 3: key "paused" already set in map, unknown field "spec.foo"`,
    );
  });

  test('custom resources tell of repeated fields, and of unknown ones in metadata', () => {
    const kind = kindOf('example.com/v1', 'Widget');
    const text = '{"metadata":{"name":"a","foo":1},"spec":{"a":[{"b":1,"b":2}]}}';
    const { object, warnings } = decodeBody(Buffer.from(text), undefined, undefined, { fieldValidation: 'Warn', kind });
    assert.deepEqual(warnings, ['unknown field "metadata.foo"', 'duplicate field "spec.a[0].b"']);
    assert.deepEqual(object, {
      metadata: { name: 'a' },
      spec: { a: [{ b: 2 }] },
      apiVersion: 'example.com/v1',
      kind: 'Widget',
    });
  });
});

describe('whole numbers that would be changed are refused', () => {
  const custom = kindOf('example.com/v1', 'Widget');
  const refused = /whole numbers beyond 9007199254740991 cannot be kept exactly: 9223372036854775807;/;

  test('of built-in kinds and of custom resources', () => {
    const seconds = '{"spec":{"terminationGracePeriodSeconds":9223372036854775807}}';
    assert.match(
      messageOf(() => decode(seconds, 'Strict', '', pod)),
      refused,
    );
    const options = { fieldValidation: 'Strict', kind: custom } as const;
    const body = Buffer.from('{"spec":{"id":9223372036854775807}}');
    assert.match(
      messageOf(() => decodeBody(body, '', undefined, options)),
      refused,
    );
  });

  test('but not what is beyond the type itself, nor fractions', () => {
    const text = '{"spec":{"terminationGracePeriodSeconds":9223372036854775808}}';
    assert.match(
      messageOf(() => decode(text, 'Strict', '', pod)),
      /cannot unmarshal number 9223372036854775808 into Go struct field PodSpec/,
    );
    const options = { fieldValidation: 'Strict', kind: custom } as const;
    const { object } = decodeBody(Buffer.from('{"spec":{"a":0.12345678901234567890}}'), '', undefined, options);
    assert.deepEqual(object['spec'], { a: 0.123_456_789_012_345_68 });
  });
});

describe('values get their one form', () => {
  test('quantities, times, base64, null, empty values', () => {
    const { object } = decode(
      JSON.stringify({
        metadata: { name: 'a', labels: {}, annotations: null, creationTimestamp: '2026-01-01T01:00:00.5+01:00' },
        spec: {
          nodeName: '',
          containers: [{ name: 'a', command: [], resources: { limits: { cpu: '1000m', memory: '1024Mi' } } }],
        },
      }),
      'Strict',
      'application/json',
      pod,
    );
    assert.deepEqual(object, {
      metadata: { name: 'a', creationTimestamp: '2026-01-01T00:00:00Z' },
      spec: { containers: [{ name: 'a', resources: { limits: { cpu: '1', memory: '1Gi' } } }] },
      status: {},
      apiVersion: 'v1',
      kind: 'Pod',
    });
  });

  test('structs that Go always writes are there', () => {
    const { object } = decode('{"spec":{"ports":[{"port":80,"targetPort":"http"}]}}', 'Strict', '', service);
    assert.deepEqual(object['status'], { loadBalancer: {} });
    assert.deepEqual((object['spec'] as { ports: unknown }).ports, [{ port: 80, targetPort: 'http' }]);
  });

  test('null in lists and maps is the zero value', () => {
    const { object } = decode('{"data":{"a":null},"binaryData":null}', 'Strict', '', kindOf('v1', 'ConfigMap'));
    assert.deepEqual(object['data'], { a: '' });
  });
});

describe('bodies', () => {
  test('come as JSON, YAML or protobuf', () => {
    assert.equal(bodyFormat('application/json; charset=utf-8'), 'json');
    assert.equal(bodyFormat(undefined), 'json');
    assert.equal(bodyFormat('application/YAML'), 'yaml');
    assert.equal(bodyFormat('text/plain'), undefined);
    assert.equal(bodyFormat('constructor'), undefined);
    const error = (() => {
      try {
        return decode('{}', 'Strict', 'application/cbor');
      } catch (thrown) {
        return thrown;
      }
    })();
    assert.ok(error instanceof ApiError);
    assert.equal(error.statusReason, 'UnsupportedMediaType');
  });

  test('have at most 3 MiB', () => {
    const error = messageOf(() => decode(' '.repeat(3 * 1024 * 1024 + 1)));
    assert.equal(error, 'Request entity too large: limit is 3145728');
  });

  test('in protobuf name their kind themselves', () => {
    const schema = builtinSchema('', 'v1', 'Pod');
    assert.ok(schema !== undefined && builtinTypeKey('', 'v1', 'Pod') === 'core/v1.Pod');
    const bytes = encodeProtobuf({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a' } }, schema);
    const options = { fieldValidation: 'Strict', kind: pod } as const;
    const { object } = decodeBody(bytes, 'application/vnd.kubernetes.protobuf', schema, options);
    assert.deepEqual(object, { metadata: { name: 'a' }, spec: {}, status: {}, apiVersion: 'v1', kind: 'Pod' });
    assert.match(
      messageOf(() => decodeBody(Buffer.from('{}'), 'application/vnd.kubernetes.protobuf', schema, options)),
      /expected prefix \[107 56 115 0\]/,
    );
  });

  test('deep nesting is refused', () => {
    assert.match(
      messageOf(() => decode('['.repeat(100_000))),
      /exceeded max depth/,
    );
    assert.match(
      messageOf(() => decode('['.repeat(100_000), 'Warn', 'application/yaml')),
      /YAML/,
    );
  });

  test('of patches are plain', () => {
    assert.deepEqual(decodePlain(Buffer.from('[{"op":"add","value":1.50}]'), 'json'), [{ op: 'add', value: 1.5 }]);
    assert.deepEqual(decodePlain(Buffer.from('a: {b: yes}'), 'yaml'), { a: { b: true } });
    assert.throws(() => decodePlain(Buffer.from('1'), 'json'), ApiError);
  });
});
