import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { parseListeningSockets } from './proc-net.ts';

const header = '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode';

test('listening sockets are read, others left out', () => {
  const tcp = [
    header,
    '   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0000 100 0 0 10 0',
    '   1: 0200A8C0:0016 0300A8C0:C350 01 00000000:00000000 00:00000000 00000000     0        0 4712 1 0000 20 4 30 10 -1',
    '   2: 00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4713 1 0000 100 0 0 10 0',
  ].join('\n');
  assert.deepEqual(parseListeningSockets(tcp, 'tcp'), [
    { address: '127.0.0.1', port: 8080, inode: '4711' },
    { address: '0.0.0.0', port: 80, inode: '4713' },
  ]);
  assert.deepEqual(parseListeningSockets(tcp, 'udp'), []);
  const udp6 =
    ' 5: 000080FE00000000FF005450B6AD1DFE:0222 00000000000000000000000000000000:0000 07 0:0 00:0 0  0  0 99 2 0 0';
  assert.deepEqual(parseListeningSockets(udp6, 'udp'), [
    { address: 'fe80::5054:ff:fe1d:adb6', port: 546, inode: '99' },
  ]);
});

test('no text hurts', () => {
  const line = fc.stringMatching(/^ ?\d: [0-9A-F]{8}:[0-9A-F]{4} x 0A( \S){5} \d+$/);
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.string(), line)), (lines) => {
      for (const { port } of parseListeningSockets(lines.join('\n'), 'tcp')) assert.ok(port >= 0 && port < 65_536);
    }),
    { numRuns: 200 },
  );
});
