import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { conversionReview, convertedObjects, type ConversionRequest } from './conversion-review.ts';

const metadata = { name: 'a', namespace: 'n', uid: 'u', labels: { x: 'y' }, finalizers: ['example.com/f'] };
const request: ConversionRequest = {
  uid: 'r',
  desiredAPIVersion: 'example.com/v1',
  objects: [{ apiVersion: 'example.com/v1beta1', kind: 'CronTab', metadata, spec: { one: 1 } }],
};
const converted = { apiVersion: 'example.com/v1', kind: 'CronTab', metadata, spec: { two: 2 } };

const answer = (response: object): object => ({
  kind: 'ConversionReview',
  apiVersion: 'apiextensions.k8s.io/v1',
  response: { uid: 'r', result: { status: 'Success' }, convertedObjects: [converted], ...response },
});
const with1 = (parts: object): object => answer({ convertedObjects: [{ ...converted, ...parts }] });

describe('a review of a conversion', () => {
  test('is sent in the first version that both sides speak', () => {
    assert.equal(conversionReview(['v2', 'v1beta1', 'v1'], request).version, 'v1beta1');
    assert.deepEqual(conversionReview(['v1'], request).review, {
      kind: 'ConversionReview',
      apiVersion: 'apiextensions.k8s.io/v1',
      request,
    });
    assert.throws(() => conversionReview(['v2'], request), { message: 'no supported conversion review versions' });
  });

  test('changes nothing of metadata but labels and annotations', () => {
    const changed = { ...metadata, labels: { z: 'z' }, annotations: { n: 'o' }, finalizers: [], generation: 9 };
    assert.deepEqual(convertedObjects(with1({ metadata: changed }), 'v1', request), [
      { ...converted, metadata: { ...metadata, labels: { z: 'z' }, annotations: { n: 'o' } } },
    ]);
    const { labels: _, ...bare } = metadata;
    assert.deepEqual(convertedObjects(with1({ metadata: bare }), 'v1', request)[0]?.metadata, bare);
  });

  test('of the beta is not held to its kind and uid', () => {
    const { response } = answer({ uid: 'other' }) as { response: object };
    assert.equal(convertedObjects({ response }, 'v1beta1', request).length, 1);
  });

  const from = 'conversion webhook for example.com/v1beta1, Kind=CronTab';
  const rows: readonly (readonly [unknown, string])[] = [
    [
      'nothing',
      `${from} failed: expected webhook response of apiextensions.k8s.io/v1, Kind=ConversionReview, got , Kind=`,
    ],
    [{ kind: 'ConversionReview', apiVersion: 'apiextensions.k8s.io/v1' }, `${from} failed: no response provided`],
    [answer({ uid: 'q' }), `${from} failed: expected response.uid="r", got "q"`],
    [answer({ result: { status: 'Failure', message: 'no idea' } }), `${from} failed: no idea`],
    [answer({ result: {} }), `${from} failed: response.result.status was '', not 'Success'`],
    [answer({ convertedObjects: [] }), `${from} returned 0 objects, expected 1`],
    [
      with1({ apiVersion: 'example.com/v2' }),
      `${from} returned invalid converted object at index 0: invalid groupVersion (expected example.com/v1, received example.com/v2)`,
    ],
    [
      with1({ kind: 'Other' }),
      `${from} returned invalid converted object at index 0: invalid kind (expected CronTab, received Other)`,
    ],
    [
      with1({ metadata: { ...metadata, name: 'b' } }),
      `${from} returned invalid converted object at index 0: must have the same name: a != b`,
    ],
    [
      with1({ metadata: { ...metadata, uid: '' } }),
      `${from} returned invalid converted object at index 0: must have the same UID: u != `,
    ],
    [
      with1({ metadata: { ...metadata, labels: { x: 1 } } }),
      `${from} returned invalid metadata in object at index 0: metadata.labels[x] must be a string, but is int64 in converted object`,
    ],
    [
      with1({ metadata: { ...metadata, labels: [] } }),
      `${from} returned invalid metadata in object at index 0: invalid metadata.labels of type []interface {} in converted object`,
    ],
  ];
  for (const [value, message] of rows)
    test(`is refused: ${message}`, () => {
      assert.throws(() => convertedObjects(value, 'v1', request), { message });
    });

  test('with labels that are none is refused', () => {
    const labels = { 'a b': 'c' };
    assert.throws(
      () => convertedObjects(with1({ metadata: { ...metadata, labels } }), 'v1', request),
      /invalid metadata in object at index 0: metadata\.labels: Invalid value: "a b": name part must consist of/,
    );
  });
});
