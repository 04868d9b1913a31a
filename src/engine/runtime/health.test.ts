import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { ContainerHealth } from './container.ts';
import { nextHealth } from './health.ts';

const retries = 3;

test('a container is unhealthy after as many failures in a row as retries, and healthy after one success', () => {
  const told = statuses([1, 1, 0, 1, 1, 1, 1, 0]);
  assert.deepEqual(told, [
    'starting 1',
    'starting 2',
    'healthy 0',
    'healthy 1',
    'healthy 2',
    'unhealthy 3',
    'unhealthy 4',
    'healthy 0',
  ]);
});

test('failures in the start period are excused, and a success ends the start', () => {
  assert.deepEqual(statuses([1, 1, 1, 1, 0], true), [
    'starting 0',
    'starting 0',
    'starting 0',
    'starting 0',
    'healthy 0',
  ]);
});

test('the last five probes are kept, oldest first', () => {
  let health: ContainerHealth | undefined;
  for (let exitCode = 1; exitCode <= 8; exitCode += 1) health = nextHealth(health, probe(exitCode), retries, false);
  assert.deepEqual(
    health?.log.map((one) => one.exitCode),
    [4, 5, 6, 7, 8],
  );
});

function statuses(exitCodes: readonly number[], isExcused = false): readonly string[] {
  let health: ContainerHealth | undefined;
  return exitCodes.map((exitCode) => {
    health = nextHealth(health, probe(exitCode), retries, isExcused);
    return `${health.status} ${String(health.failingStreak)}`;
  });
}

function probe(exitCode: number): ContainerHealth['log'][number] {
  return { start: '2026-01-01T00:00:00Z', end: '2026-01-01T00:00:01Z', exitCode, output: '' };
}
