import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';

import { architectureOf } from './binary-formats.ts';

const registration = (magic: string, flags = 'POCF', state = 'enabled'): string =>
  `${state}\ninterpreter /usr/libexec/qemu-binfmt/x-binfmt-P\nflags: ${flags}\noffset 0\nmagic ${magic}\nmask ffffffffffffff00\n`;

const arm64 = '7f454c460201010000000000000000000200b700';

test('says the architecture of an emulator that containers can use', () => {
  assert.equal(architectureOf(registration(arm64)), 'arm64');
  assert.equal(architectureOf(registration('7f454c4602020100000000000000000000020016')), 's390x');
  assert.equal(architectureOf(registration('7f454c46010101000000000000000000020028 00'.replace(' ', ''))), 'arm');
});

test('others count for nothing', () => {
  assert.equal(architectureOf(registration(arm64, 'OC')), undefined, 'its interpreter is not in the container');
  assert.equal(architectureOf(registration(arm64, 'F', 'disabled')), undefined);
  assert.equal(architectureOf(registration('6a617661')), undefined);
  assert.equal(architectureOf(registration('7f454c4602010100000000000000000002003412')), undefined);
});

test('any text is read without failing', () => {
  fc.assert(fc.property(fc.string(), (text) => architectureOf(text) === undefined));
});
