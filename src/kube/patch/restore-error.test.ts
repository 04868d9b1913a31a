import assert from 'node:assert/strict';
import { test } from 'node:test';

import { required } from '#base/assert.ts';

import { builtinSchema } from '../schemas/builtin-schemas.ts';
import { restoreError } from './restore-error.ts';

const schema = required(builtinSchema('apps', 'v1', 'Deployment'), 'the schema of Deployment');
const container = (fields: object): object => ({ spec: { template: { spec: { containers: [fields] } } } });

const rows: readonly (readonly [object, string | undefined])[] = [
  [{ spec: { replicas: 'many' } }, 'unrecognized type: int32'],
  [{ spec: { replicas: 3 } }, undefined],
  [{ spec: { replicas: null } }, undefined],
  [{ spec: { paused: 'yes' } }, 'unrecognized type: bool'],
  [{ spec: { template: 5 } }, 'cannot restore struct from: int64'],
  [{ spec: { template: [] } }, 'cannot restore struct from: slice'],
  [{ spec: { template: { spec: { containers: 'x' } } } }, 'cannot restore slice from string'],
  [{ metadata: { labels: true } }, 'cannot restore map from bool'],
  [{ metadata: { labels: { a: 1.5 } } }, 'unrecognized type: string'],
  [{ metadata: { labels: { a: 1 } } }, 'cannot convert int64 to string'],
  [container({ image: {} }), 'unrecognized type: string'],
  [container({ resources: { limits: { cpu: 1, memory: '1Gi' } } }), undefined],
  [container({ ports: [{ containerPort: 80 }, { containerPort: {} }] }), 'unrecognized type: int32'],
  [container({ imagePullPolicy: 7 }), 'cannot convert int64 to v1.PullPolicy'],
];

for (const [value, expected] of rows)
  test(`${JSON.stringify(value)} is ${expected ?? 'taken'}`, () => {
    assert.equal(restoreError(value, schema), expected);
  });

test('bytes are text', () => {
  const secret = required(builtinSchema('', 'v1', 'Secret'), 'the schema of Secret');
  assert.equal(restoreError({ data: { a: 'YQ==' } }, secret), undefined);
  assert.equal(restoreError({ data: { a: 1 } }, secret), 'cannot restore slice from int64');
});
