import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { assert as check, property, string } from 'fast-check';

import { ApiError } from '#kube/status.ts';

import { acceptedForm } from './accept.ts';

const tableAsKubectl =
  'application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json';

describe('acceptedForm', () => {
  const rows: readonly (readonly [string | undefined, string])[] = [
    [undefined, 'object json'],
    ['*/*', 'object json'],
    ['application/json', 'object json'],
    ['application/yaml', 'object yaml'],
    ['application/vnd.kubernetes.protobuf,application/json', 'object json'],
    [tableAsKubectl, 'table json'],
    ['application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1', 'partial json'],
    ['application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1', 'partial json'],
    ['application/json;as=Soup;g=meta.k8s.io;v=v1,application/json', 'object json'],
    ['application/yaml;q=0.5, application/json', 'object json'],
    ['text/html, */*;q=0.1', 'object json'],
  ];
  for (const [header, want] of rows) {
    test(String(header), () => {
      const { form, encoding } = acceptedForm(header);
      assert.equal(`${form} ${encoding}`, want);
    });
  }

  for (const header of ['text/html', 'application/vnd.kubernetes.protobuf', 'application/json;q=0']) {
    test(`refuses ${header}`, () => {
      assert.throws(
        () => acceptedForm(header),
        (error) => error instanceof ApiError && error.code === 406 && error.message.startsWith('only the following'),
      );
    });
  }

  test('any header is understood or refused', () => {
    check(
      property(string(), (header) => {
        try {
          acceptedForm(header);
        } catch (error) {
          assert.ok(error instanceof ApiError && error.code === 406);
        }
      }),
    );
  });
});
