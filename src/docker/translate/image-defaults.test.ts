import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import type { ImageDefaults } from '#formats/oci.ts';
import type { Config } from './config-fields.ts';
import { mergeImageDefaults } from './image-defaults.ts';

const image: ImageDefaults = {
  User: 'app',
  ExposedPorts: { '80/tcp': {} },
  Env: ['PATH=/bin', 'MODE=image', 'KEEP=1'],
  Entrypoint: ['/entry'],
  Cmd: ['serve'],
  Volumes: { '/data': {} },
  WorkingDir: '/srv',
  Labels: { from: 'image', both: 'image' },
  StopSignal: 'SIGINT',
  StopTimeout: 3,
  Healthcheck: { Test: ['CMD', 'probe'], Interval: 5e9, Retries: 2 },
  Shell: ['/bin/bash', '-c'],
};

describe('the command', () => {
  const cases: readonly (readonly [string, Config, readonly string[], readonly string[]])[] = [
    ['nothing said', {}, ['/entry'], ['serve']],
    ['own command', { Cmd: ['x'] }, ['/entry'], ['x']],
    ['own entrypoint drops the command', { Entrypoint: ['/own'] }, ['/own'], []],
    ['both', { Entrypoint: ['/own'], Cmd: ['x'] }, ['/own'], ['x']],
    ['--entrypoint ""', { Entrypoint: [''], Cmd: ['x'] }, [], ['x']],
    ['an empty list', { Entrypoint: [], Cmd: [] }, [], ['serve']],
  ];
  for (const [name, config, entrypoint, cmd] of cases) {
    test(name, () => {
      const { Entrypoint, Cmd } = mergeImageDefaults(config, image);
      assert.deepEqual([Entrypoint, Cmd], [entrypoint, cmd]);
    });
  }
});

describe('the rest', () => {
  test('comes from the image where the client is silent', () => {
    const merged = mergeImageDefaults({}, image);
    assert.deepEqual({ ...merged, OnBuild: undefined }, { ...image, OnBuild: undefined });
  });

  test('merges by name', () => {
    const own: Config = {
      Env: ['MODE=own', 'PATH'],
      Labels: { both: 'own' },
      ExposedPorts: { '53/udp': {} },
      Volumes: { '/more': {} },
      User: 'root',
      WorkingDir: '/w',
      StopSignal: 'SIGUSR1',
      StopTimeout: 0,
      Shell: ['sh'],
    };
    const merged = mergeImageDefaults(own, image);
    assert.deepEqual(merged.Env, ['MODE=own', 'PATH', 'KEEP=1']);
    assert.deepEqual(merged.Labels, { from: 'image', both: 'own' });
    assert.deepEqual(Object.keys(merged.ExposedPorts ?? {}), ['80/tcp', '53/udp']);
    assert.deepEqual(Object.keys(merged.Volumes ?? {}), ['/data', '/more']);
    const { User, WorkingDir, StopSignal, StopTimeout, Shell } = merged;
    assert.deepEqual([User, WorkingDir, StopSignal, StopTimeout, Shell], ['root', '/w', 'SIGUSR1', 0, ['sh']]);
  });

  test('a health check merges field by field', () => {
    const check = (own: Config['Healthcheck']): unknown =>
      mergeImageDefaults(own === undefined ? {} : { Healthcheck: own }, image).Healthcheck;
    assert.deepEqual(check({ Interval: 1e9 }), { Test: ['CMD', 'probe'], Interval: 1e9, Retries: 2 });
    assert.deepEqual(check({ Test: ['NONE'] }), { Test: ['NONE'], Interval: 5e9, Retries: 2 });
    assert.deepEqual(check(undefined), image.Healthcheck);
    assert.deepEqual(mergeImageDefaults({ Healthcheck: { Retries: 1 } }, {}).Healthcheck, { Retries: 1 });
  });

  test('an image that says nothing adds nothing', () => {
    const merged = mergeImageDefaults({ Cmd: ['x'] }, {});
    assert.deepEqual(Object.keys(merged).sort(), [
      'Cmd',
      'Entrypoint',
      'Env',
      'Labels',
      'OnBuild',
      'User',
      'Volumes',
      'WorkingDir',
    ]);
  });
});
