import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { StatusError } from '#base/errors.ts';
import { buildCacheType, formatBuildCache } from '#formats/build-cache.ts';
import { type Digest, mediaTypes } from '#formats/oci.ts';
import type { Images, RemoteLayers } from '../images/images.ts';
import type { BuildEvent, BuildRequest } from './builder.ts';
import { ImportedCache, openImports } from './imported-cache.ts';

const never = new AbortController().signal;
const digest = (index: number): Digest => `sha256:${String(index).padStart(64, '0')}`;
const key = (letter: string): string => letter.repeat(64);

/** base <- left <- leaf, base <- right */
const cache = {
  layers: [
    { diffId: digest(1), parent: undefined },
    { diffId: digest(2), parent: 0 },
    { diffId: digest(3), parent: 1 },
    { diffId: digest(4), parent: 0 },
  ],
  steps: [
    { key: key('a'), layer: 2, createdAtMs: 5, description: 'RUN leaf' },
    { key: key('b'), layer: 3, createdAtMs: 6, description: 'RUN right' },
    { key: key('c'), layer: undefined, createdAtMs: 7, description: 'WORKDIR /' },
  ],
};

describe('a cache from afar', () => {
  test('brings the chain of layers below a step, and holds it', async () => {
    const asked: number[][] = [];
    let held = 0;
    const fetch: RemoteLayers['fetch'] = async (layers) => {
      asked.push(layers.map(({ blob }) => blob));
      held += 1;
      return await Promise.resolve({ chainId: digest(9), [Symbol.dispose]: () => void (held -= 1) });
    };
    const imported = new ImportedCache('r/c:1', cache, { fetch });
    const holds = new DisposableStack();
    const take = async (letter: string) => await imported.take(key(letter), holds, () => {}, never);
    assert.deepEqual(await take('a'), { chainId: digest(9), createdAtMs: 5, description: 'RUN leaf' });
    assert.deepEqual(await take('b'), { chainId: digest(9), createdAtMs: 6, description: 'RUN right' });
    assert.deepEqual(await take('c'), { chainId: undefined, createdAtMs: 7, description: 'WORKDIR /' });
    assert.equal(await take('d'), undefined);
    assert.deepEqual(asked, [
      [0, 1, 2],
      [0, 3],
    ]);
    assert.equal(held, 2);
    holds.dispose();
    assert.equal(held, 0);
  });

  test('is asked no more when its layers cannot be had, but an abort is an abort', async () => {
    let asked = 0;
    const fetch: RemoteLayers['fetch'] = async () => {
      asked += 1;
      return await Promise.reject(new StatusError('Unavailable', 'the registry is gone'));
    };
    const events: BuildEvent[] = [];
    const imported = new ImportedCache('r/c:1', cache, { fetch });
    const take = async (signal: AbortSignal) =>
      await imported.take(key('a'), new DisposableStack(), (event) => events.push(event), signal);
    await assert.rejects(take(AbortSignal.abort(new Error('enough'))), /enough/);
    assert.equal(await take(never), undefined);
    assert.equal(await take(never), undefined);
    assert.equal(asked, 2);
    assert.match(JSON.stringify(events), /Cannot use the cache \\"r\/c:1\\" any more: the registry is gone/);
  });

  test('that cannot be read is a warning', async () => {
    const remotes: Readonly<Record<string, Omit<RemoteLayers, 'fetch'>>> = {
      good: { documentType: buildCacheType, document: formatBuildCache(cache), layerCount: 4 },
      short: { documentType: buildCacheType, document: formatBuildCache(cache), layerCount: 3 },
      other: { documentType: 'application/vnd.buildkit.cacheconfig.v0', document: Buffer.from('{}'), layerCount: 0 },
      plain: {
        documentType: mediaTypes.ociConfig,
        document: Buffer.from('{"architecture":"amd64","os":"linux","rootfs":{"diff_ids":[]}}'),
        layerCount: 0,
      },
    };
    const openArtifact: Images['openArtifact'] = async ({ path }) => {
      const remote = remotes[path.split('/')[1] ?? ''];
      if (remote === undefined) throw new StatusError('NotFound', 'manifest unknown');
      return await Promise.resolve({ ...remote, fetch: async () => await Promise.reject(new Error('not asked')) });
    };
    const request = {
      cacheFrom: ['r/good', 'r/short', 'r/other', 'r/plain', 'r/none', 'UPPER'],
      auth: () => undefined,
    };
    const events: BuildEvent[] = [];
    const opened = await openImports(
      { openArtifact } as unknown as Images,
      request as unknown as BuildRequest,
      { os: 'linux', architecture: 'amd64' },
      (event) => events.push(event),
      never,
    );
    assert.equal(opened.length, 1);
    const warnings = events.flatMap((event) => (event.kind === 'warning' ? [event.text] : []));
    assert.deepEqual(
      warnings.map((text) => /"(\S+)"/.exec(text)?.[1]),
      ['r/short', 'r/other', 'r/plain', 'r/none', 'UPPER'],
    );
  });
});
