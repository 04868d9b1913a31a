import assert from 'node:assert/strict';
import { test } from 'node:test';

import { controllers } from './controllers.ts';

test('controllers have names of their own, and write no kind that they do not say', () => {
  assert.equal(new Set(controllers.map(({ name }) => name)).size, controllers.length);
  for (const { name, outputs } of controllers) assert.ok(outputs.length > 0, name);
});
