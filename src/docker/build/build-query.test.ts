import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { Query } from '../http/query.ts';
import { changedDefaults } from './image-changes.ts';
import type { BuildOptions } from './build-query.ts';
import { buildOptions } from './build-query.ts';

function read(parameters: Record<string, string | readonly string[]>): BuildOptions {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    for (const one of Array.isArray(value) ? (value as readonly string[]) : [value as string]) search.append(name, one);
  }
  return buildOptions(new Query(search.toString()));
}

/** What docker build sends when nothing is said. */
const plain = {
  buildargs: '{}',
  cachefrom: '[]',
  cgroupparent: '',
  cpuperiod: '0',
  cpuquota: '0',
  cpusetcpus: '',
  cpusetmems: '',
  cpushares: '0',
  dockerfile: 'Dockerfile',
  labels: '{}',
  memory: '0',
  memswap: '0',
  networkmode: 'default',
  rm: '1',
  shmsize: '0',
  target: '',
  ulimits: 'null',
  version: '1',
};

describe('the parameters of a build', () => {
  test('as docker build sends them', () => {
    assert.deepEqual(read(plain), {
      tags: [],
      buildArgs: {},
      target: '',
      labels: {},
      limits: {},
      cacheFrom: [],
      noCache: false,
      pull: false,
      networkMode: 'default',
      extraHosts: [],
    });
  });

  test('everything that can be said', () => {
    assert.deepEqual(
      read({
        ...plain,
        t: ['app', 'docker.io/library/app:2', 'localhost:5000/app:3'],
        buildargs: '{"A":"b","NONE":null}',
        labels: '{"l":"v"}',
        target: 'final',
        nocache: '1',
        pull: 'true',
        networkmode: 'host',
        extrahosts: ['a:1.1.1.1', '["b:2.2.2.2","c:3.3.3.3"]'],
        shmsize: '1000',
        memory: '7000000',
        cpushares: '5',
        cpusetcpus: '0-1',
        cpusetmems: '0',
        cpuperiod: '5000',
        cpuquota: '4000',
        ulimits: '[{"Name":"nofile","Soft":1,"Hard":2}]',
        platform: 'linux/arm64',
        cachefrom: '["app:cache"]',
      }),
      {
        tags: ['app:latest', 'app:2', 'localhost:5000/app:3'],
        buildArgs: { A: 'b', NONE: undefined },
        target: 'final',
        labels: { l: 'v' },
        noCache: true,
        pull: true,
        networkMode: 'host',
        cacheFrom: ['app:cache'],
        extraHosts: ['a:1.1.1.1', 'b:2.2.2.2', 'c:3.3.3.3'],
        shmSizeBytes: 1000,
        limits: {
          memoryBytes: 7_000_000,
          memorySwapBytes: 14_000_000,
          cpuShares: 5,
          cpusetCpus: '0-1',
          cpusetMems: '0',
          cpuPeriodUs: 5000,
          cpuQuotaUs: 4000,
        },
        ulimits: [{ name: 'nofile', soft: 1, hard: 2 }],
        platform: { os: 'linux', architecture: 'arm64' },
      },
    );
  });

  const unsupported: readonly (readonly [string, string])[] = [
    ['squash', '1'],
    ['isolation', 'hyperv'],
    ['cgroupparent', '/x'],
    ['securityopt', '["seccomp=unconfined"]'],
    ['outputs', '[{"Type":"local"}]'],
    ['version', '2'],
    ['session', 'abc'],
  ];
  for (const [name, value] of unsupported) {
    test(`${name} is refused`, () =>
      assert.throws(() => read({ ...plain, [name]: value }), { reason: 'NotSupported' }));
  }

  const wrong: readonly (readonly [string, string])[] = [
    ['t', 'BAD'],
    ['t', `a@sha256:${'0'.repeat(64)}`],
    ['buildargs', '{"A":5}'],
    ['buildargs', '{'],
    ['labels', '[]'],
    ['memory', 'lots'],
    ['shmsize', '-1'],
    ['ulimits', '[{"Name":"nofile","Soft":3,"Hard":2}]'],
    ['extrahosts', '[1]'],
    ['extrahosts', '['],
    ['platform', 'a/b/c/d'],
  ];
  for (const [name, value] of wrong) {
    test(`${name}=${value} is the client's mistake`, () =>
      assert.throws(() => read({ ...plain, [name]: value }), { reason: 'InvalidArgument' }));
  }
});

describe('changes of an image', () => {
  test('are instructions of a Dockerfile', () => {
    const changed = changedDefaults({ Env: ['HOME=/h'], Cmd: ['old'], WorkingDir: '/a' }, [
      'CMD run it',
      'ENV X=$HOME/x Y="z w"',
      'LABEL a=b',
      '  workdir ../b  ',
      'USER app',
      'VOLUME /data',
      'EXPOSE 80 53/udp',
      'STOPSIGNAL SIGINT',
      'ONBUILD RUN true',
      'HEALTHCHECK --interval=5s CMD probe',
      '',
    ]);
    assert.deepEqual(changed, {
      Env: ['HOME=/h', 'X=/h/x', 'Y=z w'],
      Cmd: ['/bin/sh', '-c', 'run it'],
      WorkingDir: '/b',
      Labels: { a: 'b' },
      User: 'app',
      Volumes: { '/data': {} },
      ExposedPorts: { '80/tcp': {}, '53/udp': {} },
      StopSignal: 'SIGINT',
      OnBuild: ['RUN true'],
      Healthcheck: { Test: ['CMD-SHELL', 'probe'], Interval: 5e9 },
    });
  });

  for (const bad of ['RUN x', 'FROM y', 'COPY a b', 'NONSENSE', 'ENV', 'EXPOSE x', 'ARG A', 'SHELL ["x"]']) {
    test(`${bad} is refused`, () => assert.throws(() => changedDefaults({}, [bad]), { reason: 'InvalidArgument' }));
  }
});
