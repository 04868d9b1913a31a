import assert from 'node:assert/strict';
import { test } from 'node:test';

import { FakeClock, settle } from '#kit/fake-clock.ts';
import type { Pod, Volume } from '#kube/types/gen/core-v1.ts';

import { followSources } from './follow-sources.ts';

const facts = { nodeName: 'one', hostIPs: [], podIPs: [], allocatable: {} };
const pod = (name: string, ...volumes: Volume[]): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { namespace: 'shop', name, uid: name },
  spec: { volumes },
});

test('a change reaches the pods that show it, soon; all are looked at each minute', async () => {
  const clock = new FakeClock();
  const stop = new AbortController();
  const updated: string[] = [];
  let change: (kind: 'ConfigMap' | 'Secret', key: { namespace: string; name: string }) => void = () => {};
  let failures = 1;
  const all = [
    pod('direct', { configMap: { name: 'settings' } }),
    pod('inside', { projected: { sources: [{ configMap: { name: 'settings' } }] } }),
    pod('secret', { secret: { secretName: 'settings' } }),
    pod('none', { emptyDir: {} }),
  ];
  const running = followSources(
    {
      sources: {
        onChange: (listener) => {
          change = listener;
          return { [Symbol.dispose]: () => {} };
        },
        forgetUnused: async () => void updated.push('sweep'),
      },
      volumes: {
        update: async ({ metadata }) => {
          updated.push(metadata.name ?? '');
          if (failures-- > 0) throw new Error('disk');
        },
      },
      pods: () => all.map((one) => ({ pod: one, facts })),
      clock,
    },
    stop.signal,
  );
  await settle();
  change('ConfigMap', { namespace: 'shop', name: 'settings' });
  change('ConfigMap', { namespace: 'shop', name: 'settings' });
  await clock.advance(1000);
  assert.deepEqual(updated, ['direct', 'inside']);
  change('Secret', { namespace: 'shop', name: 'settings' });
  change('ConfigMap', { namespace: 'other', name: 'settings' });
  await clock.advance(1000);
  assert.deepEqual(updated.splice(0), ['direct', 'inside', 'secret']);
  await clock.advance(60_000);
  assert.deepEqual(updated, ['direct', 'inside', 'secret', 'none', 'sweep']);
  stop.abort();
  await running;
});
