import assert from 'node:assert/strict';
import { test } from 'node:test';

import { FakeClock, settle } from '#kit/fake-clock.ts';
import { MemoryApi } from '#kit/memory-api.ts';

import { event } from '../kinds/core/event.ts';
import type { Event } from '../types/gen/core-v1.ts';
import { kindOf } from './client.ts';
import { createClient } from './create-client.ts';
import { EventRecorder } from './event-recorder.ts';

const about = { apiVersion: 'v1', kind: 'Pod', metadata: { namespace: 'shop', name: 'web', uid: 'u-1' } };

test('what is told again counts up, and is told anew when the first telling is gone', async () => {
  const api = new MemoryApi();
  const client = createClient(api);
  const clock = new FakeClock();
  const { signal } = new AbortController();
  const list = async (): Promise<readonly Event[]> => (await client.list(kindOf<Event>(event), {}, signal)).items;
  await using recorder = new EventRecorder(client, { component: 'kubelet', host: 'one', clock });
  recorder.record(about, 'Warning', 'BackOff', 'Back-off restarting failed container');
  await settle();
  await clock.advance(5000);
  recorder.record(about, 'Warning', 'BackOff', 'Back-off restarting failed container');
  recorder.record(about, 'Normal', 'Pulled', 'x'.repeat(3000));
  await settle();
  const find = async (reason: string): Promise<Event | undefined> => (await list()).find((one) => one.reason === reason);
  const [first, second] = [await find('BackOff'), await find('Pulled')];
  assert.deepEqual(
    [first?.count, first?.firstTimestamp, first?.lastTimestamp, first?.source?.host, first?.involvedObject?.uid],
    [2, '2026-01-01T00:00:00Z', '2026-01-01T00:00:05Z', 'one', 'u-1'],
  );
  assert.deepEqual([second?.reason, second?.message?.length], ['Pulled', 1024]);

  const { namespace = '', name = '' } = first?.metadata ?? {};
  await client.delete(kindOf<Event>(event), { namespace, name }, {}, signal);
  recorder.record(about, 'Warning', 'BackOff', 'Back-off restarting failed container');
  await settle();
  const again = await find('BackOff');
  assert.deepEqual([again?.count, again?.metadata.name === name], [1, false]);

  api.failures.push({ match: 'POST', error: new Error('away') });
  recorder.record(about, 'Normal', 'Lost', 'nobody hears of it');
  recorder.record(about, 'Normal', 'Heard', 'others are told');
  await settle();
  const reasons = (await list()).map(({ reason }) => reason);
  assert.ok(!reasons.includes('Lost') && reasons.includes('Heard'));
});
