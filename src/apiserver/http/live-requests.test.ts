import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ApiError } from '#kube/status.ts';

import type { Exchange } from './exchange.ts';
import { LiveRequests } from './live-requests.ts';

function exchange(): Exchange & { leave(): void } {
  let gone = (): void => {};
  return { whenGone: (callback: () => void) => (gone = callback), leave: () => gone() } as unknown as Exchange & {
    leave(): void;
  };
}

test('a request ends with its client, silently', () => {
  using live = new LiveRequests();
  const client = exchange();
  using request = live.begin(client);
  assert.equal(request.signal.aborted, false);
  client.leave();
  assert.equal(request.signal.aborted, true);
  assert.equal(request.why, undefined);
});

test('those under way end with the server, which says so; those that are over do not', () => {
  const live = new LiveRequests();
  const [over, running] = [live.begin(exchange()), live.begin(exchange())];
  over[Symbol.dispose]();
  live[Symbol.dispose]();
  assert.equal(over.signal.aborted, false);
  assert.ok(running.why instanceof ApiError);
  assert.equal(running.signal.reason, running.why);
  assert.match(running.why.message, /shutting down/);
});

test('a request is given up after a minute, a stream is not', (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  let nowMs = 0;
  using live = new LiveRequests(() => nowMs);
  using request = live.begin(exchange());
  using stream = live.begin(exchange());
  stream.isStream = true;
  nowMs += 59_000;
  using later = live.begin(exchange());
  t.mock.timers.tick(1000);
  assert.equal(request.signal.aborted, false);
  nowMs += 2_000;
  t.mock.timers.tick(1000);
  assert.match(request.why?.message ?? '', /did not complete within the allotted timeout/);
  assert.deepEqual([stream.signal.aborted, later.signal.aborted], [false, false]);
});
