import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import * as fc from 'fast-check';
import { parseDetachKeys, untilDetached } from './detach-keys.ts';
import { goFileMode } from './file-mode.ts';

async function* pieces(...texts: readonly string[]): AsyncGenerator<Uint8Array, void, undefined> {
  for (const text of texts) {
    await Promise.resolve();
    yield Buffer.from(text, 'latin1');
  }
}

async function run(keys: string, ...texts: readonly string[]): Promise<string> {
  let end = ' end';
  const onDetach = (): void => void (end = ' detached');
  const passed: Uint8Array[] = [];
  for await (const bytes of untilDetached(pieces(...texts), parseDetachKeys(keys), onDetach)) passed.push(bytes);
  return Buffer.concat(passed).toString('latin1') + end;
}

describe('detach keys', () => {
  const cases: readonly (readonly [string, readonly string[], string])[] = [
    ['', ['ab', '\u0010\u0011', 'never'], 'ab detached'],
    ['', ['ab\u0010', '\u0011'], 'ab detached'],
    ['', ['a\u0010b'], 'a\u0010b end'],
    ['', ['a\u0010'], 'a\u0010 end'],
    ['', ['\u0010\u0010\u0011'], '\u0010 detached'],
    ['a,b,c', ['xaabcz'], 'xa detached'],
    ['a,b,c', ['xabxabc'], 'xabx detached'],
    ['ctrl-[', ['\u001b'], ' detached'],
  ];
  for (const [keys, texts, expected] of cases) {
    test(JSON.stringify([keys, ...texts]), async () => assert.equal(await run(keys, ...texts), expected));
  }

  test('are single characters and control characters', () => {
    assert.deepEqual([...parseDetachKeys('ctrl-A,z,ctrl-@,ctrl-_')], [1, 122, 0, 31]);
    for (const bad of ['ctrl-', 'ctrl-1', 'ab', 'a,,b', 'é']) {
      assert.throws(() => parseDetachKeys(bad), {
        reason: 'InvalidArgument',
        message: `Invalid detach keys (${bad}) provided`,
      });
    }
  });

  test('never eat what is not them, however it is cut', async () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', 'x'), maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(fc.array(text, { maxLength: 5 }), async (texts) => {
        const whole = texts.join('');
        const at = whole.indexOf('ab');
        const expected = at < 0 ? `${whole} end` : `${whole.slice(0, at)} detached`;
        assert.equal(await run('a,b', ...texts), expected);
      }),
      { numRuns: 200, seed: 1 },
    );
  });
});

test('modes are written as Go writes them', () => {
  assert.equal(goFileMode(0o100644), 0o644);
  assert.equal(goFileMode(0o040755), 2 ** 31 + 0o755);
  assert.equal(goFileMode(0o120777), 2 ** 27 + 0o777);
  assert.equal(goFileMode(0o104755), 2 ** 23 + 0o755);
  assert.equal(goFileMode(0o041777), 2 ** 31 + 2 ** 20 + 0o777);
  assert.equal(goFileMode(0o020666), 2 ** 26 + 2 ** 21 + 0o666);
  assert.equal(goFileMode(0o010600), 2 ** 25 + 0o600);
});
