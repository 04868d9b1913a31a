import assert from 'node:assert/strict';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';

import { StatusError } from '#base/errors.ts';
import { BuildWorld } from '#kit/build-world.ts';
import type { BuildRequest } from './builder.ts';
import { StepError } from './step-error.ts';

describe('a build that fails', () => {
  async function refused(world: BuildWorld, text: string, change: Partial<BuildRequest> = {}): Promise<StatusError> {
    const before = world.snapshots.layers().length;
    const error = await world.build(text, change).then(
      () => assert.fail('it should fail'),
      (caught: unknown) => caught,
    );
    assert.ok(error instanceof StatusError, String(error));
    assert.deepEqual(world.snapshots.writables(), [], 'no snapshot stays');
    assert.deepEqual(await readdir(join(world.folder, 'build', 'tmp')), []);
    assert.equal(world.snapshots.layers().length, before, 'no layer stays');
    return error;
  }

  test('RUN with an exit code: the sentence, the place, the excerpt, the code', async (t) => {
    const world = await BuildWorld.create(t);
    const error = await refused(world, 'FROM base\nUSER a\nRUN fail 42\nUSER b');
    assert.ok(error instanceof StepError);
    assert.equal(error.exitCode, 42);
    assert.equal(error.reason, 'InvalidArgument');
    assert.equal(error.problems[0]?.path, 'Dockerfile:3');
    assert.match(error.message, /^The command '\/bin\/sh -c fail 42' returned a non-zero code: 42\n/);
    assert.match(error.message, / {3}3 \| >>> RUN fail 42/);
  });

  const table: readonly (readonly [string, Partial<BuildRequest>, string, RegExp, string | undefined])[] = [
    ['FROM nowhere:1', {}, 'NotFound', /manifest for nowhere:1 not found/, 'Dockerfile:1'],
    ['FROM UPPER', {}, 'InvalidArgument', /must be lowercase/, 'Dockerfile:1'],
    ['FROM --platform=plan9/amd64 base', {}, 'NotSupported', /only linux is supported/, 'Dockerfile:1'],
    ['FROM base\nENV A=${B:?say}', {}, 'InvalidArgument', /B: say/, 'Dockerfile:2'],
    ['FROM base\nWORKDIR $NO', {}, 'InvalidArgument', /WORKDIR is empty/, 'Dockerfile:2'],
    ['FROM base\nCOPY nofile /', {}, 'NotFound', /stat nofile: file does not exist/, 'Dockerfile:2'],
    ['FROM base\nCOPY http://x/y /', {}, 'InvalidArgument', /source can't be a URL for COPY/, 'Dockerfile:2'],
    ['FROM base\nCOPY --chmod=9 x /', {}, 'InvalidArgument', /invalid chmod parameter/, 'Dockerfile:2'],
    ['FROM base\nADD git@h:r.git#a..b /x', {}, 'InvalidArgument', /invalid git URL/, 'Dockerfile:2'],
    ['FROM base\nADD --checksum=sha256:0 a /x', {}, 'InvalidArgument', /checksum requires HTTP/, 'Dockerfile:2'],
    ['FROM base\nRUN --security=insecure x', {}, 'Forbidden', /security.insecure is not allowed/, 'Dockerfile:2'],
    ['FROM base\nRUN --network=host x', {}, 'Forbidden', /network.host is not allowed/, 'Dockerfile:2'],
    ['FROM base\nRUN --device=gpu x', {}, 'NotSupported', /--device/, 'Dockerfile:2'],
    ['FROM base\nRUN --mount=type=secret,id=a,required x', {}, 'NotFound', /secret a: not found/, 'Dockerfile:2'],
    ['FROM base\nRUN --mount=target=/ x', {}, 'InvalidArgument', /invalid mount target/, 'Dockerfile:2'],
    ['FROM base\nRUN --mount=target=/x,source=no x', {}, 'NotFound', /stat no: file does not exist/, 'Dockerfile:2'],
    ['FROM base\nNONSENSE', {}, 'InvalidArgument', /unknown instruction: NONSENSE/, 'Dockerfile:2'],
    ['FROM base', { target: 'no' }, 'InvalidArgument', /target stage "no" could not be found/, undefined],
    ['FROM base', { tags: ['UPPER'] }, 'InvalidArgument', /must be lowercase/, undefined],
  ];
  for (const [text, change, reason, message, place] of table)
    test(text.replaceAll('\n', ' | '), async (t) => {
      const error = await refused(await BuildWorld.create(t), text, change);
      assert.equal(error.reason, reason);
      assert.match(error.message, message);
      assert.equal(error.problems[0]?.path, place);
    });

  test('a trigger of the base image that wants a stage nobody needs', async (t) => {
    const world = await BuildWorld.create(t);
    world.images.offer('trigger:1', undefined, { OnBuild: ['COPY --from=lib /x /x'] });
    const error = await refused(world, 'FROM base AS lib\nFROM trigger:1');
    assert.equal(error.reason, 'NotSupported');
    assert.match(error.message, /Cannot use stage 0 in a trigger/);
  });

  test('a broken .dockerignore, the one beside the Dockerfile first', async (t) => {
    const world = await BuildWorld.create(t);
    await writeFile(join(world.folder, 'context', '.dockerignore'), '[');
    assert.match((await refused(world, 'FROM base')).message, /error reading .dockerignore: syntax error/);
    await writeFile(join(world.folder, 'context', 'Dockerfile.dockerignore'), '!');
    assert.match(
      (await refused(world, 'FROM base')).message,
      /error reading Dockerfile.dockerignore: illegal exclusion/,
    );
  });

  test('the other stages are ended, and what they said is said', async (t) => {
    const world = await BuildWorld.create(t);
    const text =
      'FROM base AS a\nRUN hang\nFROM base AS b\nRUN say b\nRUN fail 3\nFROM scratch\nRUN --mount=from=a,target=/a --mount=from=b,target=/b x';
    const error = await world.build(text).then(() => undefined, (caught: unknown) => caught); // prettier-ignore
    assert.ok(error instanceof StepError);
    assert.equal(error.exitCode, 3);
    assert.ok(world.said.includes('b'));
    assert.deepEqual(world.snapshots.writables(), []);
  });

  test('aborted in the middle: the reason comes out, nothing stays, the next build works', async (t) => {
    const world = await BuildWorld.create(t);
    const controller = new AbortController();
    world.onHang = () => controller.abort(new Error('enough'));
    await assert.rejects(world.build('FROM base\nRUN hang', {}, controller.signal), /enough/);
    assert.deepEqual(world.snapshots.writables(), []);
    await world.build('FROM base\nRUN say hi');
  });
});
