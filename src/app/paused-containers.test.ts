import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';

import { silentLogger } from '#base/logger.ts';
import type { Containers } from '#engine/runtime/containers.ts';

import { PausedContainers } from './paused-containers.ts';

function containers(states: Map<string, string>): Containers {
  return {
    find: (id: string) => (states.has(id) ? { state: { status: states.get(id) } } : undefined),
    pause: async (id: string) => states.set(id, 'paused'),
    unpause: async (id: string) => states.set(id, 'running'),
  } as unknown as Containers;
}

function notePath(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'paused-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return join(folder, 'paused.json');
}

test('during() holds those that run, and lets only them go on, also after a failure', async (t) => {
  const path = notePath(t);
  const paused = new PausedContainers(path, silentLogger);
  const states = new Map([
    ['a', 'running'],
    ['b', 'paused'],
    ['c', 'exited'],
  ]);
  const work = async (): Promise<void> => {
    assert.deepEqual([...states.values()], ['paused', 'paused', 'exited']);
    assert.equal(existsSync(path), true);
    throw new Error('the disk is full');
  };
  await assert.rejects(paused.during(containers(states), ['a', 'b', 'c', 'gone'], work), /disk is full/);
  assert.deepEqual([...states.values()], ['running', 'paused', 'exited']);
  assert.equal(existsSync(path), false);
});

test('resume() lets go on what a killed daemon held', async (t) => {
  const path = notePath(t);
  writeFileSync(path, '["a","gone"]');
  const states = new Map([
    ['a', 'paused'],
    ['b', 'paused'],
  ]);
  await new PausedContainers(path, silentLogger).resume(containers(states));
  assert.deepEqual([...states.values()], ['running', 'paused']);
  assert.equal(existsSync(path), false);
});
