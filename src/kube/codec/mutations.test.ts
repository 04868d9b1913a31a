import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import * as fc from 'fast-check';

import { builtinSchema } from '../schemas/builtin-schemas.ts';
import { ApiError } from '../status.ts';
import { decodeBody } from './decode-body.ts';
import { encodeProtobuf } from './protobuf-envelope.ts';
import { readObject } from './read-object.ts';

const kind = { group: 'apps', version: 'v1', kind: 'Deployment' };
const deployment = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', labels: { app: 'web' }, creationTimestamp: '2026-01-01T00:00:00Z' },
  spec: {
    replicas: 3,
    selector: { matchLabels: { app: 'web' } },
    template: {
      metadata: { labels: { app: 'web' } },
      spec: {
        containers: [
          {
            name: 'web',
            image: 'nginx',
            ports: [{ containerPort: 80 }],
            resources: { limits: { cpu: '500m' } },
            livenessProbe: { httpGet: { port: 'http' } },
          },
        ],
        volumes: [{ name: 'a', emptyDir: { sizeLimit: '1Gi' } }],
      },
    },
  },
};

/** A few bytes of it changed, taken away, doubled, or others put in. */
const mutation = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  drop: fc.nat(12),
  insert: fc.oneof(
    fc.uint8Array({ maxLength: 6 }).map((bytes) => Buffer.from(bytes)),
    fc
      .constantFrom(
        '"',
        '{',
        '[',
        ']',
        '}',
        'null',
        '1e999',
        '-',
        ',',
        ':',
        '\u0000',
        '\\u',
        '99999999999999999999',
        '&a *a',
        '<<: ',
      )
      .map((text) => Buffer.from(text)),
    fc.nat(3).map((power) => Buffer.alloc(10 ** power, '[')),
  ),
});

describe('10,000 mutations of a body end in an object or an ApiError', () => {
  const schema = builtinSchema(kind.group, kind.version, kind.kind);
  assert.ok(schema !== undefined);
  const bodies = [
    ['application/json', Buffer.from(JSON.stringify(deployment)), 5000],
    ['application/yaml', Buffer.from(JSON.stringify(deployment, undefined, 1)), 1000],
    ['application/vnd.kubernetes.protobuf', encodeProtobuf(readObject(deployment, schema).object, schema), 4000],
  ] as const;
  for (const [type, body, numRuns] of bodies)
    test(type, () => {
      fc.assert(
        fc.property(fc.array(mutation, { minLength: 1, maxLength: 3 }), (mutations) => {
          let bytes: Uint8Array = body;
          for (const { at, drop, insert } of mutations) {
            const start = Math.floor(at * bytes.length);
            bytes = Buffer.concat([bytes.subarray(0, start), insert, bytes.subarray(start + drop)]);
          }
          try {
            const { object } = decodeBody(bytes, type, schema, { fieldValidation: 'Warn', kind });
            assert.equal(typeof JSON.stringify(object), 'string');
          } catch (error) {
            assert.ok(error instanceof ApiError, String(error));
          }
        }),
        { numRuns },
      );
    });
});
