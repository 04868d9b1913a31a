import assert from 'node:assert/strict';
import { test } from 'node:test';

import { hasPasswordHash } from './password-hash.ts';

test('hashes of several kinds are checked; nonsense has no password', async () => {
  const bcrypt = '$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW';
  assert.equal(await hasPasswordHash('secret', bcrypt), true);
  assert.equal(await hasPasswordHash('Secret', bcrypt), false);
  for (const nonsense of ['', '*', '*0', 'x', '{SHA}abc=', '$apr1$x$y']) {
    assert.equal(await hasPasswordHash('secret', nonsense), false, nonsense);
  }
  const both = await Promise.all([hasPasswordHash('secret', bcrypt), hasPasswordHash('guess', bcrypt)]);
  assert.deepEqual(both, [true, false]);
});
