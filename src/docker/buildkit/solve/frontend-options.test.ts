import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { frontendOptions } from './frontend-options.ts';

const read = (attributes: Readonly<Record<string, string>>): ReturnType<typeof frontendOptions> =>
  frontendOptions(new Map(Object.entries(attributes)));

describe('options of the front end', () => {
  test('none', () => {
    assert.deepEqual(read({}), {
      request: {
        buildArgs: {},
        labels: {},
        target: '',
        noCache: false,
        noCacheStages: [],
        pull: false,
        networkMode: 'default',
        extraHosts: [],
      },
      dockerfileName: 'Dockerfile',
      dockerfileFolder: 'dockerfile',
      hasOwnDockerfile: false,
      contextFolder: 'context',
      contextUrl: '',
      contexts: new Map(),
      folderSessions: new Map(),
      provenance: undefined,
      sbom: undefined,
    });
  });

  test('all', () => {
    const { request, ...rest } = read({
      filename: 'x.Dockerfile',
      dockerfilekey: 'other',
      contextkey: 'ctx',
      'build-arg:A': '1',
      'build-arg:__proto__': '2',
      'label:l:m': 'v',
      target: 't',
      'no-cache': 'a,b',
      'image-resolve-mode': 'pull',
      platform: 'linux/amd64',
      'force-network-mode': 'host',
      'add-hosts': 'a=1.2.3.4,b=::1',
      'shm-size': '1048576',
      ulimit: 'nofile=10:20,nproc=5',
      'vcs:revision': 'abc',
      'context:base::linux/amd64': 'docker-image://alpine:3',
      'context:src': 'local:src',
      'local-sessionid:ctx': 'abc:123',
      'attest:provenance': 'mode=min,inline-only=true',
      'attest:sbom': 'type=sbom,generator=me/scanner,DEPTH=3',
    });
    assert.deepEqual(rest, {
      dockerfileName: 'x.Dockerfile',
      dockerfileFolder: 'other',
      hasOwnDockerfile: true,
      contextFolder: 'ctx',
      contextUrl: '',
      contexts: new Map([
        ['base', { kind: 'image', name: 'alpine:3' }],
        ['src', { kind: 'folder', folder: 'src' }],
      ]),
      folderSessions: new Map([['ctx', '123']]),
      provenance: { mode: 'min', inlineOnly: true, builderId: '' },
      sbom: { generator: 'me/scanner:latest', parameters: { DEPTH: '3' } },
    });
    assert.deepEqual(Object.entries(request.buildArgs), [
      ['A', '1'],
      ['__proto__', '2'],
    ]);
    assert.partialDeepStrictEqual(request, {
      labels: { 'l:m': 'v' },
      target: 't',
      noCache: false,
      noCacheStages: ['a', 'b'],
      pull: true,
      platform: { os: 'linux', architecture: 'amd64' },
      networkMode: 'host',
      extraHosts: ['a=1.2.3.4', 'b=::1'],
      shmSizeBytes: 1_048_576,
      ulimits: [
        { name: 'nofile', soft: 10, hard: 20 },
        { name: 'nproc', soft: 5, hard: 5 },
      ],
    });
    assert.equal(read({ 'no-cache': '' }).request.noCache, true);
    assert.deepEqual(read({ platform: 'linux/amd64,linux/arm64' }).request.platforms, [
      { os: 'linux', architecture: 'amd64' },
      { os: 'linux', architecture: 'arm64' },
    ]);
    assert.equal(read({ context: 'https://x/y.git' }).contextUrl, 'https://x/y.git');
  });

  for (const [name, value, reason, words] of [
    ['cgroup-parent', 'x', 'NotSupported', /cgroup-parent "x"/],
    ['attest:sbom', 'generator=', 'InvalidArgument', /generator cannot be empty/],
    ['attest:other', 'x', 'NotSupported', /only provenance and sbom/],
    ['attest:provenance', 'mode=most', 'InvalidArgument', /invalid mode "most"/],
    ['platform', 'linux/amd64/v9/x', 'InvalidArgument', /platform/],
    ['context:a', 'target:b', 'NotSupported', /build context "a"/],
    ['context:a', 'https://x', 'NotSupported', /build context "a"/],
    ['force-network-mode', 'my-net', 'InvalidArgument', /network mode "my-net"/],
    ['add-hosts', 'a', 'InvalidArgument', /add-host/],
    ['shm-size', 'big', 'InvalidArgument', /shm size/],
    ['ulimit', 'x', 'InvalidArgument', /ulimit: "x"/],
  ] as const)
    test(`${name}=${value} is refused`, () => {
      assert.throws(
        () => read({ [name]: value }),
        (error) => (error as { reason: string }).reason === reason && words.test((error as Error).message),
      );
    });
});
