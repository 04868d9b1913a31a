import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { type MemoryApi, openMemoryApi } from '#kit/kube-api/memory-api.ts';

const deployments = '/apis/apps/v1/namespaces/default/deployments';
const labels = { app: 'web' };
const template = { metadata: { labels }, spec: { containers: [{ name: 'web', image: 'web:1' }] } };
const web = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web' },
  spec: { replicas: 2, selector: { matchLabels: labels }, template },
};

const strategic = 'application/strategic-merge-patch+json';
const merge = 'application/merge-patch+json';
const apply = 'application/apply-patch+yaml';

interface Refusal {
  readonly type: string;
  readonly query: string;
  readonly patch: object;
  readonly code: number;
  readonly message: RegExp;
}

const typed = String.raw`failed to create typed patch object \(default/web; apps/v1, Kind=Deployment\)`;
const head = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { namespace: 'default', name: 'web' } };
const refusals: readonly Refusal[] = [
  {
    type: strategic,
    query: '',
    patch: { spec: { replicas: 'many' } },
    code: 422,
    message: /^ "" is invalid: patch: Invalid value: "map\[spec:map\[replicas:many\]\]": unrecognized type: int32$/,
  },
  {
    type: strategic,
    query: 'fieldValidation=Strict',
    patch: { spec: { colour: 'red' } },
    code: 422,
    message: /"map\[spec:map\[colour:red\]\]": strict decoding error: unknown field "spec\.colour"$/,
  },
  {
    type: merge,
    query: '',
    patch: { spec: { replicas: 'many' } },
    code: 422,
    message: /^ "" is invalid: patch: Invalid value: "\{.*\}": json: cannot unmarshal string into Go struct field/,
  },
  {
    type: merge,
    query: 'fieldValidation=Strict',
    patch: { spec: { colour: 'red' } },
    code: 422,
    message: /strict decoding error: unknown field "spec\.colour"$/,
  },
  ...['Strict', 'Warn', 'Ignore'].map((validation) => ({
    type: apply,
    query: `fieldManager=me&fieldValidation=${validation}`,
    patch: { ...head, spec: { colour: 'red' } },
    code: 400,
    message: new RegExp(String.raw`^${typed}: \.spec\.colour: field not declared in schema$`),
  })),
  {
    type: apply,
    query: 'fieldManager=me',
    patch: { ...head, spec: { replicas: 'many' } },
    code: 400,
    message: new RegExp(String.raw`^${typed}: \.spec\.replicas: expected numeric \(int or float\), got `),
  },
];

describe('patches that do not fit the kind', () => {
  let api: MemoryApi;
  const ends: (() => Promise<void> | void)[] = [];
  after(async () => {
    for (const end of ends) await end();
  });
  before(async () => {
    api = await openMemoryApi({ after: (work) => void ends.push(work) });
    await api.must(api.post(deployments, web));
  });

  for (const { type, query, patch, code, message } of refusals)
    test(`${type}?${query} ${JSON.stringify(patch)}`, async () => {
      const { status, body } = await api.patch(`${deployments}/web?${query}`, type, patch);
      assert.equal(status, code);
      assert.match(body.message, message);
    });

  test('Invalid has a cause for the patch and names no kind', async () => {
    const { body } = await api.patch(`${deployments}/web`, strategic, { spec: { replicas: 'many' } });
    const message = 'Invalid value: "map[spec:map[replicas:many]]": unrecognized type: int32';
    assert.deepEqual(body.details, { causes: [{ reason: 'FieldValueInvalid', message, field: 'patch' }] });
  });

  test('what is there twice is refused by Strict, and else told', async () => {
    const body = 'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {paused: false, paused: true}\n';
    const send = async (validation: string): ReturnType<MemoryApi['send']> =>
      api.send('PATCH', `${deployments}/web?fieldManager=me&fieldValidation=${validation}`, body, {
        'content-type': apply,
      });
    const strict = await send('Strict');
    assert.equal(strict.status, 400);
    assert.match(strict.body.message, /^error strict decoding YAML: [^]*"paused" already set in map$/);
    const warned = await send('Warn');
    assert.equal(warned.status, 200);
    assert.match(String(warned.headers['warning']), /"paused\\" already set in map/);
  });
});
