import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';

import { StatusError } from '#base/errors.ts';
import {
  type BuildCache,
  formatBuildCache,
  inlineCacheField,
  parseBuildCache,
  parseInlineCache,
} from './build-cache.ts';
import type { Digest } from './oci.ts';

const digest = (index: number): Digest => `sha256:${index.toString(16).padStart(64, '0')}`;
const step = { key: 'a'.repeat(64), layer: 1, createdAtMs: 5, description: 'RUN x' };
const layers = [
  { diffId: digest(1), parent: undefined },
  { diffId: digest(2), parent: 0 },
];

test('what is written is read again', () => {
  const index = fc.integer({ min: 0, max: 20 });
  const cache = fc.array(index, { maxLength: 20 }).chain((parents) => {
    const made = parents.map((parent, at) => ({ diffId: digest(at), parent: parent < at ? parent : undefined }));
    const key = fc.stringMatching(/^[0-9a-f]{64}$/);
    const layer = made.length === 0 ? fc.constant(undefined) : fc.option(fc.nat(made.length - 1), { nil: undefined });
    const steps = fc.array(
      fc.record(
        { key, layer, createdAtMs: fc.nat(), description: fc.string({ maxLength: 50 }) },
        { noNullPrototype: true },
      ),
    );
    return steps.map((all): BuildCache => ({ layers: made, steps: all }));
  });
  fc.assert(
    fc.property(cache, (value) => assert.deepEqual(parseBuildCache(formatBuildCache(value)), value)),
    { numRuns: 100 },
  );
});

test('what makes no sense is damaged', () => {
  const bad: readonly unknown[] = [
    {},
    { layers: [{ diffId: 'x' }], steps: [] },
    { layers: [{ diffId: digest(1), parent: 0 }], steps: [] },
    { layers, steps: {} },
    { layers, steps: [{ ...step, key: 'short' }] },
    { layers, steps: [{ ...step, layer: 2 }] },
    { layers, steps: [{ ...step, layer: -1 }] },
    { layers, steps: [{ ...step, createdAtMs: 1e300 }] },
    { layers, steps: Array.from({ length: 10_001 }, () => step) },
  ];
  for (const value of bad)
    assert.throws(
      () => parseBuildCache(Buffer.from(JSON.stringify(value))),
      { reason: 'Damaged' },
      JSON.stringify(value).slice(0, 80),
    );
});

test('any JSON is read or damaged', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const bytes = Buffer.from(JSON.stringify({ layers, steps: value, other: value }));
      try {
        parseBuildCache(bytes);
      } catch (error) {
        assert.ok(error instanceof StatusError && error.reason === 'Damaged', String(error));
      }
    }),
    { numRuns: 200 },
  );
});

test('an image says the steps of its own layers, or nothing', () => {
  const rootfs = { type: 'layers', diff_ids: [digest(1), digest(2)] };
  const plain = { architecture: 'amd64', os: 'linux', rootfs };
  const bytes = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
  assert.equal(parseInlineCache(bytes(plain)), undefined);
  assert.deepEqual(parseInlineCache(bytes({ ...plain, [inlineCacheField]: [step] })), { layers, steps: [step] });
  assert.throws(() => parseInlineCache(bytes({ ...plain, [inlineCacheField]: [{ ...step, layer: 2 }] })), {
    reason: 'Damaged',
  });
});
