import { writeSync } from 'node:fs';

import { never, openPlace, specOf } from './world.ts';

/**
 * A process of its own that makes, starts, stops and removes containers until it is killed:
 * `crash-child.ts <folder> <instance> <image id>`. What it was told to be done it says on a line each, at once:
 * `created|leaving|started|stopped|removed <id>`; `leaving` before the start of one that removes itself at its end.
 */
const [folder = '', instance = '', imageId = ''] = process.argv.slice(2);
const engine = await openPlace({ folder, instance });
const { containers } = engine;

function say(what: string, id: string): void {
  writeSync(1, `${what} ${id}\n`);
}

async function live(round: number): Promise<void> {
  const kept = round % 3 === 0;
  const script = kept ? 'trap "exit 3" TERM; while :; do sleep 0.02; done' : 'exit 4';
  const spec = specOf(imageId as `sha256:${string}`, script, { autoRemove: round % 3 === 2 });
  const { id } = await containers.create(undefined, spec, never);
  say('created', id);
  if (spec.autoRemove) say('leaving', id);
  const exit = containers.wait(id, 'next-exit', never);
  await containers.start(id, never);
  say('started', id);
  if (kept && round % 2 === 0) return;
  if (kept) await containers.stop(id, { timeoutSeconds: 0 }, never);
  await exit;
  if (spec.autoRemove) return;
  say('stopped', id);
  if (round % 4 === 1) return;
  await containers.remove(id, { force: false, volumes: true }, never);
  say('removed', id);
}

/** Two at a time, so that a kill meets them in different states. */
async function lives(first: number): Promise<void> {
  for (let round = first; ; round += 2) await live(round);
}

say('open', '-');
await Promise.all([lives(0), lives(1)]);
