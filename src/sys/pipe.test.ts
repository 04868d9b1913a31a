import assert from 'node:assert/strict';
import { fstatSync, readSync, writeSync } from 'node:fs';
import { test } from 'node:test';

import { openPipe } from './pipe.ts';

test('what is written at one end is read at the other, until that is closed', () => {
  using pipe = openPipe();
  writeSync(pipe.writeFd, 'hello');
  pipe.close('writeFd');
  const bytes = Buffer.alloc(10);
  assert.equal(readSync(pipe.readFd, bytes), 5);
  assert.equal(bytes.toString('utf8', 0, 5), 'hello');
  assert.equal(readSync(pipe.readFd, bytes), 0);
});

test('an end that was given away stays open', () => {
  let fd: number;
  {
    using pipe = openPipe();
    fd = pipe.give('readFd');
  }
  assert.ok(fstatSync(fd).isFIFO());
  assert.equal(readSync(fd, Buffer.alloc(1)), 0);
});
