import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';

import { eventually } from '../../kit/eventually.ts';
import { startInstance } from '../../kit/instance.ts';
import type { Instance } from '../../kit/instance.ts';
import { Buildx } from './buildx.ts';

const hanging = 'FROM busybox\nCOPY file /\nRUN echo begun > /begun; sleep 1000\n';

/** What a build makes while it runs and must not leave. */
function leftovers(instance: Instance): readonly string[] {
  const data = join(instance.root, 'var/lib/slipway/engine');
  const steps = join(instance.root, 'run/slipway/engine/steps');
  const inside = (folder: string): readonly string[] => {
    try {
      return readdirSync(folder).map((name) => join(folder, name));
    } catch {
      return [];
    }
  };
  return [join(data, 'snapshots/writable'), join(data, 'build/tmp'), steps].flatMap(inside);
}

describe('a build that is left alone', () => {
  test('by its client, which is killed: it stops, and nothing stays', async (t) => {
    const instance = await startInstance(t);
    await instance.loadBusybox();
    const buildx = new Buildx(instance);
    const client = buildx.start(buildx.folder({ Dockerfile: hanging, file: 'x' }));
    await eventually('the step runs', () => leftovers(instance).length >= 2);
    client.kill('SIGKILL');
    await eventually('nothing is left', () => leftovers(instance).length === 0);
    assert.match(await buildx.built(buildx.folder({ Dockerfile: 'FROM busybox\nRUN echo on\n' })), /echo on/);
  });

  test('by its daemon, which is killed: nothing stays after the next start', async (t) => {
    const instance = await startInstance(t);
    await instance.loadBusybox();
    const buildx = new Buildx(instance);
    const folder = buildx.folder({ Dockerfile: hanging, file: 'x' });
    const client = buildx.start(folder);
    const ended = new Promise((resolve) => client.once('exit', resolve));
    await eventually('the step runs', () => leftovers(instance).length >= 2);
    await instance.kill9();
    assert.notEqual(await ended, 0);
    await instance.start();
    assert.deepEqual(leftovers(instance), []);
    assert.deepEqual(readdirSync(join(instance.root, 'var/lib/slipway/engine/docker-uploads')), []);
    assert.match(
      await buildx.built(
        folder,
        ['--target', '0'].slice(2).concat('--no-cache-filter', 'x', '--output', 'type=cacheonly', '-f', '-'),
        { stdin: 'FROM busybox\nCOPY file /\n' },
      ),
      /COPY file/,
    );
  });
});
