import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { decodeMessage } from '#formats/protobuf/decode.ts';
import type { TarEntry } from '#formats/tar-entry.ts';
import { statMessage } from '../messages/session-messages.ts';
import { entryOfStat, statOfEntry } from './file-stat.ts';

const empty = decodeMessage(statMessage, new Uint8Array());
const file: TarEntry = entryOfStat({ ...empty, path: 'a', mode: 0o644 });

describe("a client's file", () => {
  for (const [what, mode, linkName, expected] of [
    ['a file', 0o644, '', { type: 'file', mode: 0o644, sizeBytes: 7 }],
    ['with special bits', 2 ** 23 + 2 ** 22 + 2 ** 20 + 0o755, '', { type: 'file', mode: 0o7755 }],
    ['a folder', 2 ** 31 + 0o700, '', { type: 'directory', mode: 0o700, sizeBytes: 0 }],
    ['a link', 2 ** 27 + 0o777, '../x', { type: 'symlink', linkTarget: '../x', sizeBytes: 0 }],
    ['a second name', 0o600, 'b/c', { type: 'hardlink', linkTarget: 'b/c', sizeBytes: 0 }],
    ['a pipe', 2 ** 25 + 0o600, '', { type: 'fifo' }],
  ] as const)
    test(`${what} belongs to root`, () => {
      const entry = entryOfStat({ ...empty, path: 'd/a', mode, linkName, size: 7n, uid: 5, gid: 6, modTimeNs: 9n });
      assert.partialDeepStrictEqual(entry, { path: 'd/a', uid: 0, gid: 0, mtimeNs: 9n, ...expected });
    });

  for (const [what, change] of [
    ['a device', { mode: 2 ** 26 }],
    ['a terminal', { mode: 2 ** 26 + 2 ** 21 }],
    ['a socket', { mode: 2 ** 24 }],
    ['a way out', { path: '../a' }],
    ['a way out in the middle', { path: 'a/../../b' }],
    ['an absolute path', { path: '/a' }],
    ['no path', { path: '' }],
    ['a path with a zero', { path: 'a\0b' }],
    ['a second name that leads out', { linkName: '../../etc/passwd' }],
    ['an absolute second name', { linkName: '/etc/passwd' }],
  ] as const)
    test(`${what} is refused`, () => {
      assert.throws(() => entryOfStat({ ...empty, path: 'a', ...change }), { reason: 'InvalidArgument' });
    });

  test('goes to a client as it came', () => {
    for (const type of ['file', 'directory', 'symlink', 'fifo'] as const) {
      const entry = { ...file, type, mode: 0o5751, linkTarget: type === 'symlink' ? 'x' : '' };
      assert.deepEqual(entryOfStat({ ...empty, ...statOfEntry(entry) }), entry);
    }
  });
});
