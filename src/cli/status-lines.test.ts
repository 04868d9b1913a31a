import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { StatusReport } from '#app/control-protocol.ts';
import { instancePaths } from '#app/instance-paths.ts';

import { clientHint, statusLines } from './status-lines.ts';

const report: StatusReport = {
  version: '0.1.0',
  pid: 812,
  startedAtMs: Date.UTC(2026, 10, 30, 6, 5, 4),
  root: '/',
  state: 'degraded',
  planes: [
    { name: 'engine', state: 'healthy', message: '/var/lib/slipway/engine' },
    { name: 'docker', state: 'degraded', message: 'the socket is gone' },
  ],
  dockerSocket: '/run/slipway/docker.sock',
  dockerSocketLinked: false,
  containers: { running: 2, total: 10 },
  images: 3,
};

test('a report is told in columns, what is wrong included', () => {
  assert.deepEqual(statusLines(report, instancePaths('/')), [
    'slipway 0.1.0 is degraded (process 812, since 2026-11-30 06:05:04 UTC)',
    '  engine      healthy    /var/lib/slipway/engine',
    '  docker      degraded   the socket is gone',
    '  containers  2 running  10 in all',
    '  images      3',
    '  data                   /var/lib/slipway',
    '  log                    /var/lib/slipway/log/slipway.log',
  ]);
});

test('clients are told where the socket is, unless the usual path leads there', () => {
  assert.equal(clientHint(report), 'export DOCKER_HOST=unix:///run/slipway/docker.sock');
  assert.equal(clientHint({ ...report, dockerSocketLinked: true }), undefined);
});
