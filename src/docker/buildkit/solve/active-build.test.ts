import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { decodeMessage } from '#formats/protobuf/decode.ts';
import { solveRequest } from '../messages/control-messages.ts';
import { ActiveBuild, type Built } from './active-build.ts';
import { Builds } from './builds.ts';

const never = new AbortController().signal;
const result: Built = {
  images: [
    {
      config: { architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: [] } },
      platform: { architecture: 'amd64', os: 'linux' },
      bases: [],
      claims: [],
      topLayer: undefined,
      openFiles: () => Promise.reject(new Error('there are none')),
      scan: () => Promise.resolve([]),
    },
  ],
};

function buildOf(ref: string, signal = never): ActiveBuild {
  return new ActiveBuild({ ...decodeMessage(solveRequest, new Uint8Array()), ref }, signal);
}

describe('a build of a client', () => {
  test('holds its results until it is finished, then lets the rest be done', async () => {
    await using build = buildOf('a');
    const done: string[] = [];
    const id = await build.result(async (hold) => {
      await hold(result);
      done.push('cache exported');
    });
    assert.equal(build.find(id), result);
    assert.deepEqual(done, []);
    await build.finish();
    assert.deepEqual(done, ['cache exported']);
    assert.equal(build.signal.aborted, false);
  });

  test('fails with what fails after its results were exported', async () => {
    await using build = buildOf('a');
    await build.result(async (hold) => {
      await hold(result);
      throw new Error('the registry is away');
    });
    await assert.rejects(build.finish(), /registry is away/);
  });

  test('is not spoilt by a result that nobody wanted', async () => {
    await using build = buildOf('a');
    await assert.rejects(
      build.result(() => Promise.reject(new Error('no'))),
      /no/,
    );
    await build.result((hold) => hold(result));
    await build.finish();
    assert.match(String(build.failure), /no/);
  });

  test('ends all its work when it goes', async () => {
    const client = new AbortController();
    const build = buildOf('a', client.signal);
    await build.result((hold) => hold(result));
    client.abort();
    await build[Symbol.asyncDispose]();
    assert.equal(build.signal.aborted, true);
  });
});

describe('the builds of all clients', () => {
  test('are found by their reference, also before they begin, and not after they ended', async () => {
    const builds = new Builds();
    const [build, other] = [buildOf('a'), buildOf('a')];
    const early = builds.get('a', never);
    {
      using _ = builds.add(build);
      assert.equal(await early, build);
      assert.throws(() => builds.add(other), { reason: 'Conflict' });
    }
    assert.deepEqual([builds.hasEnded('a'), builds.hasEnded('b')], [true, false]);
    await assert.rejects(builds.get('a', never), { reason: 'NotFound', message: 'no such job a' });
    const gone = new AbortController();
    gone.abort(new Error('left'));
    await assert.rejects(builds.get('b', gone.signal), /left/);
  });
});
