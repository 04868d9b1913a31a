import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { BuildEvent } from './builder.ts';
import { EventOrder } from './event-order.ts';

function listen(stages: number): { readonly order: EventOrder; readonly said: string[] } {
  const said: string[] = [];
  const order = new EventOrder(stages, (event) =>
    said.push(event.kind === 'output' ? Buffer.from(event.bytes).toString().slice(0, 3) : event.kind),
  );
  return { order, said };
}

const say = (text: string): BuildEvent => ({ kind: 'output', bytes: Buffer.from(text) });

test('the first unfinished stage speaks, the others wait for their turn', () => {
  const { order, said } = listen(3);
  order.push(1, say('b1'));
  order.push(0, say('a1'));
  order.push(2, say('c1'));
  order.finish(2);
  assert.deepEqual(said, ['a1']);
  order.finish(0);
  assert.deepEqual(said, ['a1', 'b1']);
  order.push(1, say('b2'));
  order.finish(1);
  assert.deepEqual(said, ['a1', 'b1', 'b2', 'c1']);
});

test('when a stage fails all is said, its own last', () => {
  const { order, said } = listen(3);
  order.push(1, say('b1'));
  order.push(2, say('c1'));
  order.fail(1);
  order.push(1, say('b2'));
  assert.deepEqual(said, ['c1', 'b1', 'b2']);
});

test('what is held back is bounded, and the gap is said', () => {
  const { order, said } = listen(2);
  order.push(1, { kind: 'cached' });
  order.push(1, say(`old${'x'.repeat(700_000)}`));
  order.push(1, say(`new${'x'.repeat(700_000)}`));
  order.finish(0);
  assert.deepEqual(said, ['warning', 'cached', 'new']);
});

test('small pieces are put together, ticks of transfers are left out', () => {
  const { order, said } = listen(2);
  for (let count = 0; count < 3000; count += 1) order.push(1, say('ab'));
  order.push(1, { kind: 'progress', id: 'x', status: 'Downloading', currentBytes: 5 });
  order.push(1, { kind: 'progress', id: 'x', status: 'Pull complete' });
  order.push(1, say('end'));
  order.finish(0);
  assert.deepEqual(said, ['aba', 'progress', 'end']);
});
