import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { BuildWorld } from '#kit/build-world.ts';

const text = 'FROM base as x\nUSER $NOBODY';

describe('build checks', () => {
  test('are warnings of a build, with the variables of base images that are here', async (t) => {
    const world = await BuildWorld.create(t);
    await world.build(text);
    assert.deepEqual(world.said.slice(0, 2), [
      "FromAsCasing: 'as' and 'FROM' keywords' casing do not match (line 1)",
      "UndefinedVar: Usage of undefined variable '$NOBODY' (line 2)",
    ]);
    await world.build('FROM base\nENV A=$PATH');
    assert.ok(!world.said.some((line) => line.includes('UndefinedVar')));
  });

  test('are skipped, or are errors, as the Dockerfile or a build argument says', async (t) => {
    const world = await BuildWorld.create(t);
    await world.build(`# check=skip=all\n${text}`);
    assert.ok(!world.said.some((line) => line.includes('Casing')));
    const failing = `# check=error=true;skip=UndefinedVar\n${text}`;
    const message = /^lint violation found for rules: FromAsCasing$/;
    await assert.rejects(world.build(failing), { reason: 'InvalidArgument', message });
    await world.build(failing, { buildArgs: { BUILDKIT_DOCKERFILE_CHECK: 'skip=all' } });
  });

  test('are told without building', async (t) => {
    const world = await BuildWorld.create(t);
    const builder = await world.open();
    const request = { ...world.request, dockerfile: text };
    assert.deepEqual(
      builder.check(request).map(({ rule }) => rule),
      ['FromAsCasing', 'UndefinedVar'],
    );
    assert.throws(() => builder.check({ ...request, dockerfile: 'NONSENSE' }), { reason: 'InvalidArgument' });
    assert.deepEqual(world.events, []);
  });
});
