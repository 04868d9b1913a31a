import assert from 'node:assert/strict';
import { test } from 'node:test';

import { LiveSandbox } from './live-sandbox.ts';
import type { PortHolder } from './ports/port-holder.ts';
import type { RelayTarget } from './ports/tcp-relay.ts';

test('held ports lead to where the container is now, and are let go once', () => {
  let address: string | undefined = '10.0.0.2';
  const live = new LiveSandbox(() => address);
  const [one, two] = [holder(80), holder(81)];
  live.hold([one]);
  live.hold([two]);
  assert.deepEqual(
    live.ports.map(({ containerPort }) => containerPort),
    [80, 81],
  );
  assert.deepEqual(
    [one.target?.(), two.target?.()],
    [
      { address: '10.0.0.2', port: 80 },
      { address: '10.0.0.2', port: 81 },
    ],
  );
  address = undefined;
  assert.equal(one.target?.(), undefined);
  live.release();
  live[Symbol.dispose]();
  assert.deepEqual([one.disposals, two.disposals, live.ports.length, live.hasNameServer], [1, 1, 0, false]);
});

function holder(containerPort: number): PortHolder & { target?: RelayTarget; disposals: number } {
  return {
    port: { containerPort, protocol: 'tcp', hostIp: '0.0.0.0', hostPort: 8080 },
    disposals: 0,
    relay(target) {
      this.target = target;
    },
    [Symbol.dispose]() {
      this.disposals += 1;
    },
  };
}
