import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import * as fc from 'fast-check';

import { StatusError } from '#base/errors.ts';

import {
  objectIdOf,
  partsOf,
  readDer,
  tags,
  timeOf,
  writeDer,
  writeObjectId,
  writeSequence,
  writeTime,
  writeUnsigned,
} from './der.ts';

describe('DER', () => {
  test('whatever is written is read back', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 5 }), (contents) => {
        const bytes = writeSequence(...contents.map((content) => writeDer(tags.octetString, content)));
        assert.deepEqual(
          partsOf(readDer(bytes)).map(({ content }) => Buffer.from(content)),
          contents.map((content) => Buffer.from(content)),
        );
      }),
    );
  });

  test('object identifiers', () => {
    const arcs = fc.tuple(fc.constantFrom(0, 1, 2), fc.nat(39), fc.array(fc.nat(), { minLength: 1, maxLength: 8 }));
    fc.assert(
      fc.property(arcs, ([first, second, rest]) => {
        const dotted = [first, second, ...rest].join('.');
        assert.equal(objectIdOf(readDer(writeObjectId(dotted))), dotted);
      }),
    );
    assert.equal(Buffer.from(writeObjectId('1.2.840.113549')).toString('hex'), '06062a864886f70d');
    assert.equal(objectIdOf(readDer(Buffer.from('0603883703', 'hex'))), '2.999.3');
  });

  test('times to the second, in the short form until 2049', () => {
    fc.assert(
      fc.property(
        fc.date({ min: new Date('1950-01-01'), max: new Date('9999-12-31'), noInvalidDate: true }),
        (date) => {
          const timeMs = Math.floor(date.getTime() / 1000) * 1000;
          const value = readDer(writeTime(date.getTime()));
          assert.equal(timeOf(value), timeMs);
          assert.equal(value.tag, date.getUTCFullYear() < 2050 ? tags.utcTime : tags.generalizedTime);
        },
      ),
    );
  });

  test('unsigned numbers are the shortest and never negative', () => {
    const hex = (bytes: string): string => Buffer.from(writeUnsigned(Buffer.from(bytes, 'hex'))).toString('hex');
    assert.equal(hex(''), '020100');
    assert.equal(hex('0000'), '020100');
    assert.equal(hex('007f'), '02017f');
    assert.equal(hex('80'), '02020080');
  });

  test('foreign bytes are read or refused as damaged', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        try {
          walk(readDer(bytes));
        } catch (error) {
          assert.ok(error instanceof StatusError && error.reason === 'Damaged');
        }
      }),
      { numRuns: 2000 },
    );
    const refused = ['', '30', '3005', '30800000', '308101ff', '30850000000001ff', '1f8101', '020100ff', '3082ff'];
    for (const hex of refused) assert.throws(() => readDer(Buffer.from(hex, 'hex')), StatusError, hex);
  });
});

function walk(value: ReturnType<typeof readDer>): void {
  if (value.tag === tags.objectId) objectIdOf(value);
  if (value.tag === tags.utcTime || value.tag === tags.generalizedTime) timeOf(value);
  if ((value.tag & 0x20) !== 0) for (const part of partsOf(value)) walk(part);
}
