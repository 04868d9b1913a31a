import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import type { Digest, Platform } from '#formats/oci.ts';
import { buildPlatforms } from './build-platforms.ts';
import type { BuildEvent, Builder, BuildRequest, BuildResult } from './builder.ts';

const never = new AbortController().signal;
const amd64: Platform = { os: 'linux', architecture: 'amd64' };
const arm64: Platform = { os: 'linux', architecture: 'arm64' };
const idOf = ({ architecture }: Platform): Digest => `sha256:${architecture}`;

/** A builder whose results say only what they are for. */
function builder(fails?: Platform): { build: Builder['build']; asked: BuildRequest[] } {
  const asked: BuildRequest[] = [];
  const build: Builder['build'] = async (request, onEvent, signal) => {
    asked.push(request);
    const platform = request.platform ?? amd64;
    onEvent({ kind: 'cached', step: 1 });
    if (platform === fails) throw new Error('it failed');
    await request.take?.([{ platform } as BuildResult], signal);
    return idOf(platform);
  };
  return { build, asked };
}

const request = (more: Partial<BuildRequest>): BuildRequest => ({ ...more }) as BuildRequest;

describe('several platforms of one build', () => {
  test('are taken together, in order, and events say which they are about', async () => {
    const { build } = builder();
    const taken: string[][] = [];
    const events: BuildEvent[] = [];
    const take: BuildRequest['take'] = async (results) => {
      taken.push(results.map(({ platform }) => platform.architecture));
      await Promise.resolve();
    };
    const id = await buildPlatforms(
      build,
      request({ platforms: [arm64, amd64], take }),
      (event) => events.push(event),
      never,
    );
    assert.equal(id, idOf(arm64));
    assert.deepEqual(taken, [['arm64', 'amd64']]);
    assert.deepEqual(
      events.map(({ platform }) => platform),
      [arm64, amd64],
    );
  });

  test('one that fails ends the others, which wait to be taken', async () => {
    const { build } = builder(amd64);
    const take: BuildRequest['take'] = () => assert.fail('nothing is to be taken');
    await assert.rejects(
      buildPlatforms(build, request({ platforms: [arm64, amd64], take }), () => {}, never),
      /it failed/,
    );
    const left = new AbortController();
    const waiting: Builder['build'] = async (asked, onEvent, signal) => {
      if (asked.platform === amd64) left.abort(new Error('the client left'));
      return await builder().build(asked, onEvent, signal);
    };
    await assert.rejects(
      buildPlatforms(waiting, request({ platforms: [arm64, amd64], take: async () => {} }), () => {}, left.signal),
      /the client left/,
    );
  });

  test('one alone is built as it is', async () => {
    const { build, asked } = builder();
    assert.equal(await buildPlatforms(build, request({ platforms: [arm64] }), () => {}, never), idOf(arm64));
    assert.equal(await buildPlatforms(build, request({ platform: amd64 }), () => {}, never), idOf(amd64));
    assert.deepEqual(
      asked.map(({ platform }) => platform),
      [arm64, amd64],
    );
  });

  test('what has no meaning for several is refused', async () => {
    const { build } = builder();
    const several = { platforms: [arm64, amd64] };
    await assert.rejects(
      buildPlatforms(build, request(several), () => {}, never),
      /several platforms in this way/,
    );
    const cacheTo = [{ kind: 'registry', reference: 'r/c', mode: 'min', ignoresErrors: false }] as const;
    const withCache = request({ ...several, cacheTo, take: async () => {} });
    await assert.rejects(
      buildPlatforms(build, withCache, () => {}, never),
      /one cache of several platforms/,
    );
  });
});
