import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { StatusError } from '#base/errors.ts';
import * as fc from 'fast-check';
import { createRequest } from '../translate/create-request.ts';
import type { Decoder } from './decode.ts';
import {
  decodeJson,
  emptyObject,
  flag,
  integer,
  listOf,
  mapOf,
  objectOf,
  sparseListOf,
  text,
  textOrList,
} from './decode.ts';

const person = objectOf({ Name: text, Age: integer, Tags: listOf(text), Home: objectOf({ Street: text }) });

function problemOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    assert.ok(error instanceof StatusError, String(error));
    assert.equal(error.reason, 'InvalidArgument');
    return error.message;
  }
  return 'accepted';
}

describe('decoders', () => {
  test('read what has the right type and leave the rest out', () => {
    const body = Buffer.from('{"Name":"a","Age":3,"Tags":["x"],"Home":{"Street":"s"},"Unknown":{"y":1}}');
    assert.deepEqual(decodeJson(body, person), { Name: 'a', Age: 3, Tags: ['x'], Home: { Street: 's' } });
  });

  test('take null and missing fields for the zero value, as Go does', () => {
    assert.deepEqual(decodeJson(Buffer.from('{"Name":null}'), person), {});
    assert.deepEqual(mapOf(listOf(text), [])({ a: null, b: ['x'] }, 'm'), { a: [], b: ['x'] });
    assert.deepEqual(sparseListOf(text)([null, 'x', null], 'l'), ['x']);
  });

  test('match names without regard to case when none matches exactly', () => {
    assert.deepEqual(person({ name: 'low', AGE: 7 }, ''), { Name: 'low', Age: 7 });
    assert.deepEqual(person({ name: 'low', Name: 'exact' }, ''), { Name: 'exact' });
  });

  const wrong: readonly (readonly [unknown, Decoder<unknown>, string])[] = [
    [{ Name: 5 }, person, 'Cannot read Name: want a string, have the number 5'],
    [{ Age: 'x' }, person, 'Cannot read Age: want an integer, have a string'],
    [{ Age: 1.5 }, person, 'Cannot read Age: want an integer, have the number 1.5'],
    [{ Age: 1e30 }, person, 'Cannot read Age: want a 64-bit integer, have the number 1e+30'],
    [{ Tags: 'x' }, person, 'Cannot read Tags: want a list, have a string'],
    [{ Tags: ['x', null] }, person, 'Cannot read Tags[1]: want a string, have null'],
    [{ Home: [] }, person, 'Cannot read Home: want an object, have a list'],
    [{ Home: { Street: {} } }, person, 'Cannot read Home.Street: want a string, have an object'],
    [[], person, 'Cannot read the request body: want an object, have a list'],
    ['x', flag, 'Cannot read the request body: want true or false, have a string'],
    [true, emptyObject, 'Cannot read the request body: want an object, have a boolean'],
    [{ a: 1 }, mapOf(text), 'Cannot read [a]: want a string, have the number 1'],
    [7, textOrList, 'Cannot read the request body: want a list, have the number 7'],
  ];
  for (const [value, decoder, message] of wrong) {
    test(`say where and what: ${message}`, () =>
      assert.equal(
        problemOf(() => decoder(value, '')),
        message,
      ));
  }

  test('clamp numbers that a double cannot hold exactly', () => {
    assert.equal(integer(2 ** 63, 'n'), Number.MAX_SAFE_INTEGER);
    assert.equal(integer(-(2 ** 63), 'n'), Number.MIN_SAFE_INTEGER);
    assert.equal(integer(-1, 'n'), -1);
  });

  test('keep a key "__proto__" a key', () => {
    const labels = mapOf(text)(JSON.parse('{"__proto__":"evil","a":"b"}'), 'Labels');
    assert.deepEqual(Object.entries(labels), [
      ['__proto__', 'evil'],
      ['a', 'b'],
    ]);
    assert.equal(Object.getPrototypeOf(labels), Object.prototype);
    assert.equal(({} as Record<string, unknown>)['evil'], undefined);
  });

  test('refuse bytes that are not UTF-8 and text that is not JSON', () => {
    assert.match(
      problemOf(() => decodeJson(Buffer.from([0x22, 0xff, 0x22]), text)),
      /not valid JSON/,
    );
    assert.match(
      problemOf(() => decodeJson(Buffer.from('{} {}'), person)),
      /not valid JSON/,
    );
  });
});

describe('a create request under mutation', () => {
  const valid = {
    Image: 'app',
    Cmd: ['run'],
    Env: ['A=b'],
    ExposedPorts: { '80/tcp': {} },
    Healthcheck: { Test: ['CMD', 'true'], Interval: 1e9 },
    HostConfig: {
      Binds: ['/a:/b:ro'],
      PortBindings: { '80/tcp': [{ HostIp: '', HostPort: '8080' }] },
      RestartPolicy: { Name: 'always' },
      Mounts: [{ Type: 'tmpfs', Target: '/t', TmpfsOptions: { SizeBytes: 5 } }],
      Ulimits: [{ Name: 'nofile', Soft: 1, Hard: 2 }],
      MemorySwappiness: null,
    },
    NetworkingConfig: { EndpointsConfig: { net: { Aliases: ['x'], IPAMConfig: { IPv4Address: '10.0.0.2' } } } },
  };

  test('is decoded or refused by a sentence, never a defect', () => {
    const path = fc.array(fc.nat(9), { minLength: 1, maxLength: 5 });
    const value = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.constantFrom(null, [], {}, '', 0, -1, 1e300, true));
    fc.assert(
      fc.property(path, value, (steps, replacement) => {
        const mutated = JSON.stringify(mutate(valid, steps, replacement));
        const message = problemOf(() => decodeJson(Buffer.from(mutated), createRequest));
        assert.ok(message === 'accepted' || message.startsWith('Cannot read '), message);
      }),
      { numRuns: 200, seed: 1 },
    );
  });

  test('survives bytes flipped anywhere', () => {
    const bytes = Buffer.from(JSON.stringify(valid));
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.nat(255), (at, byte) => {
        const flipped = Buffer.from(bytes);
        flipped[at] = byte;
        problemOf(() => decodeJson(flipped, createRequest));
      }),
      { numRuns: 200, seed: 1 },
    );
  });
});

/** Follows the steps into a value as far as it goes and puts `replacement` there. */
function mutate(value: unknown, steps: readonly number[], replacement: unknown): unknown {
  const [step, ...rest] = steps;
  if (step === undefined || typeof value !== 'object' || value === null) return replacement;
  if (Array.isArray(value)) {
    if (value.length === 0) return replacement;
    const at = step % value.length;
    return value.map((item: unknown, index) => (index === at ? mutate(item, rest, replacement) : item));
  }
  const keys = Object.keys(value);
  const key = keys[step % Math.max(keys.length, 1)];
  if (key === undefined) return replacement;
  return { ...value, [key]: mutate((value as Record<string, unknown>)[key], rest, replacement) };
}
