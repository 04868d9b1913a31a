import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after as afterAll, before, test } from 'node:test';

import { parseReference } from '#formats/reference.ts';
import { startRegistry } from '../../kit/registry.ts';
import { openRunWorld, type RunWorld } from './run-world.ts';
import { never } from './world.ts';

/** Two machines and a registry between them. */
let here: RunWorld;
let there: RunWorld;
let address = '';
const owned = new AsyncDisposableStack();

before(async () => {
  const registry = await startRegistry({ after: (clean) => owned.defer(async () => await clean()) });
  ({ address } = registry);
  here = owned.use(await openRunWorld());
  there = owned.use(await openRunWorld());
  for (const { context } of [here, there]) writeFileSync(join(context, 'file'), 'file');
});
afterAll(async () => {
  await owned.disposeAsync();
});

const text = [
  'FROM busybox:1 AS tools',
  'RUN echo tool; echo tool > /tool',
  'FROM busybox:1',
  'WORKDIR /w',
  'COPY file .',
  'RUN echo ran; cat /proc/sys/kernel/random/uuid > /u',
  'COPY --from=tools /tool /tool',
  'RUN echo last; cat /proc/sys/kernel/random/uuid > /v',
].join('\n');

test('an image with an inline cache spares another machine its steps', async () => {
  const name = `${address}/app:inline`;
  const built = await here.build(text, { tags: [name], cacheTo: [{ kind: 'inline' }] });
  await here.images.push(parseReference(name), {}, () => {}, never);
  const again = await there.build(text, { cacheFrom: [name], cacheTo: [{ kind: 'inline' }] });
  assert.equal(again.output, 'tool\n', 'only the stage that the image has no layers of runs');
  assert.equal(again.image.topLayer, built.image.topLayer);
  assert.equal(again.image.id, built.image.id);
  assert.equal((await there.build(text)).output, '', 'what was imported is cached');
  await there.builder.pruneCache({}, never);
});

test('a cache in a registry has all stages, and survives a restart of the machine that imports it', async () => {
  const reference = `${address}/cache:max`;
  const registry = { kind: 'registry', reference, mode: 'max', ignoresErrors: false } as const;
  const built = await here.build(text, { cacheTo: [registry], noCache: true });
  const again = await there.build(text, { cacheFrom: [reference] });
  assert.equal(again.output, '');
  assert.equal(again.image.id, built.image.id);
  assert.deepEqual((await again.files('w')).slice(0, 1), ['w/file 644 0:0 file']);
  await there.reopen();
  assert.equal((await there.build(text)).output, '');
  const changed = await there.build(text.replace('echo last', 'echo changed'), { cacheFrom: [reference] });
  assert.equal(changed.output, 'changed\n');
});

test('what cannot be imported is a warning, what cannot be exported an error', async () => {
  const nowhere = `${address}/none:1`;
  const { events } = await here.build('FROM busybox:1\nUSER a', { cacheFrom: [nowhere, '127.0.0.1:1/x'] });
  const warnings = events.filter(({ kind }) => kind === 'warning');
  assert.equal(warnings.length, 2, JSON.stringify(warnings));
  const target = { kind: 'registry', reference: '127.0.0.1:1/x', mode: 'min' } as const;
  await assert.rejects(here.build('FROM busybox:1\nUSER a', { cacheTo: [{ ...target, ignoresErrors: false }] }));
  const ignored = await here.build('FROM busybox:1\nUSER a', { cacheTo: [{ ...target, ignoresErrors: true }] });
  assert.ok(ignored.events.some((event) => event.kind === 'warning' && event.text.includes('Cannot export the cache')));
});
