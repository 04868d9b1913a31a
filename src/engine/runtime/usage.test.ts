import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { reasonOf } from '#base/errors.ts';

import { parseInterfaces, parsePs } from './usage.ts';

const netDev = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo:    7000      70    0    0    0     0          0         0     7000      70    0    0    0     0       0          0
  eth0:  123456     100    1    2    0     0          0         0    65432      90    3    4    0     0       0          0
  eth1:       0       0    0    0    0     0          0         0        0       0    0    0    0     0       0          0
`;

test('counters of interfaces are read from /proc/net/dev, without loopback', () => {
  const found = parseInterfaces(netDev);
  assert.deepEqual(Object.keys(found), ['eth0', 'eth1']);
  assert.deepEqual(found['eth0'], {
    rxBytes: 123_456,
    rxPackets: 100,
    rxErrors: 1,
    rxDropped: 2,
    txBytes: 65_432,
    txPackets: 90,
    txErrors: 3,
    txDropped: 4,
  });
});

test('only the rows of wanted processes are taken, and the last column keeps its blanks', () => {
  const text = [
    'UID          PID    PPID CMD',
    'root           7       1 sleep 3600 and more',
    'root          77       1 other',
    'www-data     8         7 nginx: worker process',
    '',
  ].join('\n');
  assert.deepEqual(parsePs(text, new Set([7, 8])), {
    titles: ['UID', 'PID', 'PPID', 'CMD'],
    processes: [
      ['root', '7', '1', 'sleep 3600 and more'],
      ['www-data', '8', '7', 'nginx: worker process'],
    ],
  });
});

test('a table without process IDs is refused', () => {
  assert.throws(
    () => parsePs('USER CMD\nroot sh\n', new Set([1])),
    (error) => reasonOf(error) === 'InvalidArgument',
  );
});

test('whatever ps prints, a row never has more cells than there are titles', () => {
  const pids = new Set([1, 2, 3]);
  fc.assert(
    fc.property(fc.array(fc.stringMatching(/^[ 123a-z]{0,40}$/), { maxLength: 20 }), (lines) => {
      const { titles, processes } = parsePs(['PID CMD', ...lines].join('\n'), pids);
      assert.ok(processes.every((row) => row.length <= titles.length && pids.has(Number(row[0]))));
    }),
    { numRuns: 100 },
  );
});
