import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import type { BuildEvent } from '#engine/build/builder.ts';
import { planBuild } from '#engine/build/plan.ts';
import { parseDockerfile } from '#formats/dockerfile/parse-dockerfile.ts';
import { BuildProgress } from './build-progress.ts';
import { StatusLog } from './status-log.ts';
import { Task } from './task.ts';

const never = new AbortController().signal;

/** What a client is told of a build with these events, as short lines. */
async function told(dockerfile: string, events: readonly BuildEvent[]): Promise<readonly string[]> {
  const log = new StatusLog();
  const source = { name: 'Dockerfile', lines: dockerfile.split('\n') };
  const progress = new BuildProgress(log, 'ref', new Task(log, 'dockerfile', 'load it'), source);
  const plan = planBuild(
    { dockerfile: parseDockerfile(dockerfile, 'Dockerfile'), globals: new Map(), contexts: {} },
    '',
  );
  for (const event of [{ kind: 'plan', plan } as const, ...events]) progress.onEvent(event);
  log.close();
  const lines: string[] = [];
  const names = new Map<string, string>();
  for await (const { vertexes = [], logs = [], statuses = [], warnings = [] } of log.read(never)) {
    for (const { digest = '', name = '', cached, completed, error = '' } of vertexes) {
      names.set(digest, name);
      const end = completed === undefined ? 'starts' : cached === true ? 'cached' : error === '' ? 'done' : error;
      lines.push(`${name}: ${end}`);
    }
    for (const { vertex = '', msg = [] } of logs)
      lines.push(`${names.get(vertex) ?? ''} says ${Buffer.from(msg).toString()}`);
    for (const { id = '', current, total, completed } of statuses)
      lines.push(`${id} ${String(current)}/${String(total)}${completed === undefined ? '' : ' done'}`);
    for (const { short = [] } of warnings) lines.push(`warning ${Buffer.from(short).toString()}`);
  }
  return lines;
}

const step = (number: number, code: string): BuildEvent => ({
  kind: 'step',
  number,
  total: 9,
  text: code,
  stage: '',
  step: number,
});
const layer = (number: number): BuildEvent => ({ kind: 'layer', id: '', step: number });

describe('the progress of a build', () => {
  test('has a line for each step that makes files, numbered within its stage', async () => {
    const lines = await told(
      'FROM a\nENV X=1\nRUN <<E\necho 1\nE\nCOPY x /',
      [1, 2, 3, 4].flatMap((number) => [step(number, ''), layer(number)]),
    );
    assert.deepEqual(lines, [
      '[1/3] FROM a: starts',
      '[1/3] FROM a: done',
      '[2/3] RUN <<E: starts',
      '[2/3] RUN <<E: done',
      '[3/3] COPY x /: starts',
      '[3/3] COPY x /: done',
    ]);
  });

  test('names stages, shares the base of several, and leaves out the base that is a stage', async () => {
    const lines = await told(
      'FROM a AS one\nRUN 1\nFROM a\nRUN 2\nCOPY --from=one x /\nFROM one\nRUN 3\nCOPY --from=1 y /',
      [step(1, ''), step(3, ''), step(2, ''), step(4, ''), step(7, '')],
    );
    assert.deepEqual(lines, [
      '[one 1/2] FROM a: starts',
      '[one 1/2] FROM a: starts',
      '[one 2/2] RUN 1: starts',
      '[stage-1 2/3] RUN 2: starts',
      '[stage-2 1/2] RUN 3: starts',
    ]);
  });

  test('output, cached marks, transfers, warnings, failures', async () => {
    const lines = await told('FROM a\nRUN 1\nRUN 2\nRUN 3', [
      step(1, ''),
      { kind: 'progress', id: 'abc', status: 'Downloading', currentBytes: 5, totalBytes: 10, step: 1 },
      { kind: 'progress', id: 'abc', status: 'Pull complete', step: 1 },
      step(2, ''),
      { kind: 'cached', step: 2 },
      layer(2),
      step(3, ''),
      { kind: 'output', bytes: Buffer.from('hello'), step: 3 },
      { kind: 'failed', error: new Error('no'), canceled: false, step: 3 },
      { kind: 'failed', error: new Error('no'), canceled: true, step: 4 },
      { kind: 'warning', text: 'careful' },
    ]);
    assert.deepEqual(
      lines.filter((line) => !line.endsWith('starts')),
      [
        '[2/4] RUN 1: cached',
        '[3/4] RUN 2: no',
        '[4/4] RUN 3: context canceled',
        '[3/4] RUN 2 says hello',
        'abc 5/10',
        'abc 0/0 done',
        'warning careful',
      ],
    );
  });

  test('too much output of one step is clipped', async () => {
    const log = new StatusLog();
    const task = new Task(log, 'key', 'talker');
    for (let count = 0; count < 40; count += 1) task.output(Buffer.alloc(100_000));
    log.close();
    let sizeBytes = 0;
    let last = '';
    for await (const { logs = [] } of log.read(never))
      for (const { msg = [] } of logs) {
        sizeBytes += Buffer.from(msg).length;
        last = Buffer.from(msg).toString();
      }
    assert.ok(sizeBytes < 2_200_000, String(sizeBytes));
    assert.match(last, /output clipped/);
  });

  test('a reader that comes late or early sees all, and leaves with its signal', async () => {
    const log = new StatusLog();
    const task = new Task(log, 'key', 'task');
    const read = async (signal = never): Promise<number> => {
      let count = 0;
      for await (const { vertexes = [] } of log.read(signal)) count += vertexes.length;
      return count;
    };
    const early = read();
    const controller = new AbortController();
    const leaving = read(controller.signal);
    task.start();
    controller.abort(new Error('bye'));
    await assert.rejects(leaving, /bye/);
    task.finish();
    log.close();
    assert.deepEqual([await early, await read()], [2, 2]);
  });
});
