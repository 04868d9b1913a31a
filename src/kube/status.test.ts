import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { StatusError } from '#base/errors.ts';

import {
  alreadyExists,
  type ApiError,
  badRequest,
  conflict,
  forbidden,
  invalid,
  notFound,
  statusOf,
  statusReasons,
} from './status.ts';

const pods = { group: '', resource: 'pods' };
const deployments = { group: 'apps', resource: 'deployments' };

describe('ApiError', () => {
  const rows: readonly (readonly [ApiError, string, number])[] = [
    [notFound(pods, 'x'), 'pods "x" not found', 404],
    [notFound(deployments, 'x'), 'deployments.apps "x" not found', 404],
    [alreadyExists(pods, 'x'), 'pods "x" already exists', 409],
    [
      conflict(deployments, 'x'),
      'Operation cannot be fulfilled on deployments.apps "x": the object has been modified; please apply your changes to the latest version and try again',
      409,
    ],
    [forbidden(pods, '', 'no'), 'pods is forbidden: no', 403],
    [forbidden(pods, 'x', 'no'), 'pods "x" is forbidden: no', 403],
    [forbidden({ group: '', resource: '' }, '', 'no'), 'forbidden: no', 403],
    [badRequest('what is this'), 'what is this', 400],
  ];
  for (const [error, message, code] of rows) {
    test(message, () => {
      assert.equal(error.message, message);
      assert.equal(error.code, code);
      assert.equal(error.toStatus().code, code);
    });
  }

  test('an invalid object names its causes, several in brackets and each once', () => {
    const image = { reason: 'FieldValueRequired', message: 'Required value', field: 'spec.image' };
    const name = { reason: 'FieldValueInvalid', message: 'Invalid value: "X": no', field: 'metadata.name' };
    const of = { group: 'apps', kind: 'Deployment' };
    assert.equal(invalid(of, 'x', [image]).message, 'Deployment.apps "x" is invalid: spec.image: Required value');
    const error = invalid(of, 'x', [image, name, image]);
    assert.equal(
      error.message,
      'Deployment.apps "x" is invalid: [spec.image: Required value, metadata.name: Invalid value: "X": no]',
    );
    assert.deepEqual(error.toStatus().details, {
      name: 'x',
      group: 'apps',
      kind: 'Deployment',
      causes: [image, name, image],
    });
  });

  test('a status has what clients read, and no empty group', () => {
    assert.deepEqual(notFound(pods, 'x').toStatus(), {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: 'pods "x" not found',
      reason: 'NotFound',
      details: { name: 'x', kind: 'pods' },
      code: 404,
    });
  });
});

describe('statusOf', () => {
  test('our own errors keep their sentence and get the code of their reason', () => {
    const status = statusOf(new StatusError('Unavailable', 'the disk sleeps', { retryAfterMs: 1500 }));
    assert.equal(status.code, 503);
    assert.equal(status.reason, 'ServiceUnavailable');
    assert.equal(status.details?.retryAfterSeconds, 2);
    assert.equal(statusOf(new StatusError('DiskFull', 'no room')).code, 500);
    assert.equal(statusOf(new StatusError('Conflict', 'somebody was quicker')).reason, 'Conflict');
  });

  test('defects do not tell their insides', () => {
    const status = statusOf(new TypeError('x is undefined'));
    assert.equal(status.reason, 'InternalError');
    assert.equal(status.message, 'Internal error occurred');
  });

  test('every reason has a code of its own or says which of two it is', () => {
    for (const { code } of Object.values(statusReasons)) assert.ok(code >= 400 && code < 600);
  });
});
