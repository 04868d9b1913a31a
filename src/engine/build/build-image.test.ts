import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';

import { BuildWorld } from '#kit/build-world.ts';
import type { BuildRequest, BuildResult } from './builder.ts';
import { StepError } from './step-error.ts';

describe('a build', () => {
  test('of one stage: layers, configuration, history, events', async (t) => {
    const world = await BuildWorld.create(t);
    const id = await world.build('FROM base\nARG A=1\nENV B=$A\nRUN write out $B\nCMD ["x"]\nLABEL z=1', {
      labels: { b: '2', a: '1' },
      tags: ['app', 'reg:5000/app:2'],
    });
    const config = world.config(id);
    assert.equal(
      world.snapshots.read(config.rootfs.diff_ids.length === 2 ? world.images.find(id)!.topLayer! : 'sha256:', 'out'),
      '$B',
    );
    assert.deepEqual(config.config, {
      Env: ['PATH=/bin', 'B=1'],
      Cmd: ['x'],
      Labels: { z: '1', a: '1', b: '2' },
    });
    assert.deepEqual(
      config.history?.map((entry) => entry.created_by),
      [undefined, 'ARG A=1', 'ENV B=1', 'RUN |1 A=1 /bin/sh -c write out $B # buildkit', 'CMD ["x"]', 'LABEL z=1'],
    );
    assert.deepEqual(
      config.history?.map((entry) => entry.empty_layer === true),
      [false, true, true, false, true, true],
    );
    assert.ok(config.history?.every((entry) => entry.created !== undefined));
    assert.deepEqual(world.ran[0]?.env, ['PATH=/bin', 'B=1', 'A=1']);
    assert.equal(world.images.find('app:latest')?.id, id);
    assert.equal(world.images.find('reg:5000/app:2')?.id, id);
    assert.deepEqual(world.said.slice(0, 5), ['1/6 FROM base', 'layer', '2/6 ARG A=1', 'layer', '3/6 ENV B=$A']);
    assert.equal(world.said.at(-1), 'built');
  });

  test('events say which step they are about', async (t) => {
    const world = await BuildWorld.create(t);
    const text = 'FROM base AS a\nRUN say one\nFROM base\nCOPY --from=a base /b\nRUN fail 3';
    await assert.rejects(world.build(text, { mixesEvents: true }), /code: 3/);
    const [plan] = world.events;
    assert.ok(plan?.kind === 'plan');
    assert.deepEqual(
      plan.plan.stages.map(({ firstStep }) => firstStep),
      [1, 3],
    );
    const about = (kind: string) =>
      new Set(world.events.filter((event) => event.kind === kind).map(({ step }) => step));
    assert.deepEqual(about('step'), new Set([1, 2, 3, 4, 5]));
    assert.deepEqual(about('output'), new Set([2]));
    assert.deepEqual(about('layer'), new Set([1, 2, 3, 4]));
    const failed = world.events.find((event) => event.kind === 'failed');
    assert.ok(failed?.error instanceof StepError);
    assert.deepEqual([failed.step, failed.canceled, failed.error.exitCode], [5, false, 3]);
  });

  test('a result that is taken becomes no image', async (t) => {
    const world = await BuildWorld.create(t);
    const taken: BuildResult[] = [];
    const take = async (results: readonly BuildResult[]): Promise<void> => void taken.push(...results);
    const id = await world.build('FROM base\nRUN write out x', { take, tags: ['app'] });
    assert.equal(world.snapshots.read(taken[0]!.topLayer!, 'out'), 'x');
    assert.equal(world.images.find('app'), undefined);
    assert.equal(await world.build('FROM base\nRUN write out x'), id, 'the ID that the image would have');
  });

  test('again: nothing runs, the same image', async (t) => {
    const world = await BuildWorld.create(t);
    const text = 'FROM base\nRUN write a 1\nRUN write b 2';
    const first = await world.build(text);
    assert.equal(await world.build(text), first);
    assert.equal(world.ran.length, 2);
    assert.equal(world.said.filter((line) => line === 'cached').length, 2);
    await world.open();
    assert.equal(await world.build(text), first, 'also after a restart');
    assert.equal(world.ran.length, 2);
    await world.build(text, { noCache: true });
    assert.equal(world.ran.length, 4);
  });

  test('what decides the key of a RUN', async (t) => {
    const world = await BuildWorld.create(t);
    const ran = async (text: string, change: Partial<BuildRequest> = {}): Promise<number> => {
      const before = world.ran.length;
      await world.build(text, change);
      return world.ran.length - before;
    };
    assert.equal(await ran('FROM base\nARG A\nRUN write a 1', { buildArgs: { A: '1' } }), 1);
    assert.equal(await ran('FROM base\nARG A\nRUN write a 1', { buildArgs: { A: '2' } }), 1, 'an argument it sees');
    assert.equal(
      await ran('FROM base\nARG A\nRUN write a 1', { buildArgs: { A: '1', B: '1' } }),
      0,
      'one it does not see',
    );
    assert.equal(
      await ran('FROM base\nARG A\nRUN write a 1', { buildArgs: { A: '1', http_proxy: 'p' } }),
      0,
      'a proxy',
    );
    assert.equal(await ran('FROM base\nRUN write a 1'), 1, 'no argument');
    assert.equal(await ran('FROM base\nLABEL x=1\nEXPOSE 80\nRUN write a 1'), 0, 'labels and ports');
    assert.equal(await ran('FROM base\nENV X=1\nRUN write a 1'), 1, 'the environment');
    assert.equal(await ran('FROM base\nUSER 1\nRUN write a 1'), 1, 'the user');
    assert.equal(await ran('FROM base\nRUN --network=none write a 1'), 1, 'the network');
    assert.equal(await ran('FROM base\nRUN ["write a 1"]'), 1, 'the form');
  });

  test('stages: only what is needed, bases and arguments carry over', async (t) => {
    const world = await BuildWorld.create(t);
    const text =
      'FROM base AS a\nARG X=1\nENV E=1\nRUN write a 1\nFROM base AS unused\nRUN fail 1\nFROM a\nRUN write b $X';
    const id = await world.build(text);
    assert.equal(world.ran.length, 2);
    assert.deepEqual(world.ran[1]?.env, ['PATH=/bin', 'E=1', 'X=1']);
    assert.equal(world.config(id).rootfs.diff_ids.length, 3);
    assert.deepEqual(world.said.filter((line) => line.includes('/')).map((line) => line.split(' ')[0]), [
      '1/6', '2/6', '3/6', '4/6', '5/6', '6/6',
    ]); // prettier-ignore
  });

  test('independent stages are built at once, and speak one after the other', async (t) => {
    const world = await BuildWorld.create(t);
    const text =
      'FROM base AS a\nRUN meet a\nRUN say a\nFROM base AS b\nRUN meet b\nRUN say b\nFROM scratch\nRUN --mount=from=a,target=/a --mount=from=b,target=/b say c';
    await world.build(text);
    const lines = world.said.filter((line) => /^(\d|[abc]$)/.test(line)).map((line) => line.split(' ')[0]);
    assert.deepEqual(lines, ['1/8', '2/8', '3/8', 'a', '4/8', '5/8', '6/8', 'b', '7/8', '8/8', 'c']);
  });

  test('ONBUILD of an image and of a stage', async (t) => {
    const world = await BuildWorld.create(t);
    world.images.offer('trigger:latest', undefined, { OnBuild: ['RUN say one', 'ENV T=1'] });
    const id = await world.build('FROM trigger\nRUN say $T');
    assert.deepEqual(world.said.slice(0, 4), ['1/2 FROM trigger', 'layer', '# Executing 2 build triggers', 'one']);
    assert.equal(world.config(id).config?.OnBuild, undefined);
    assert.deepEqual(world.ran[1]?.env.includes('T=1'), true);
    const kept = await world.build('FROM base AS b\nONBUILD USER u');
    assert.deepEqual(world.config(kept).config?.OnBuild, ['USER u']);
    const used = await world.build('FROM base AS b\nONBUILD USER u\nFROM b');
    assert.equal(world.config(used).config?.User, 'u');
    assert.equal(world.config(used).config?.OnBuild, undefined);
  });

  test('bases are pulled when they are missing, or when asked to, once', async (t) => {
    const world = await BuildWorld.create(t);
    world.images.offer('far:1', undefined, {}, 'remote');
    await world.build('FROM far:1 AS a\nUSER a\nFROM far:1\nRUN --mount=from=a,target=/a x');
    assert.deepEqual(world.images.pulls, ['far:1']);
    await world.build('FROM far:1\nUSER a');
    assert.deepEqual(world.images.pulls, ['far:1']);
    await world.build('FROM far:1\nUSER a', { pull: true });
    assert.deepEqual(world.images.pulls, ['far:1', 'far:1']);
  });

  test('commands of an architecture that nothing runs are refused; its files are not', async (t) => {
    const world = await BuildWorld.create(t);
    const platform = { os: 'linux', architecture: 'foreign' };
    await world.build('FROM scratch\nWORKDIR /a\nUSER a', { platform });
    await assert.rejects(world.build('FROM scratch\nRUN say x', { platform }), {
      reason: 'NotSupported',
      message: /^Cannot run a command for linux\/foreign .* qemu-user-static/,
    });
  });

  test('SOURCE_DATE_EPOCH is the time of creation', async (t) => {
    const world = await BuildWorld.create(t);
    const id = await world.build('FROM base\nUSER a', { buildArgs: { SOURCE_DATE_EPOCH: '86400' } });
    assert.equal(world.config(id).created, '1970-01-02T00:00:00.000Z');
  });

  test('limits, mounts and inline scripts reach the step', async (t) => {
    const world = await BuildWorld.create(t);
    await writeFile(join(world.folder, 'context', 'file'), 'x');
    const mounts = '--mount=target=/c --mount=type=tmpfs,target=t,size=1m --mount=type=secret,id=s --mount=type=ssh';
    await world.build(`FROM base\nRUN ${mounts} say hi\nRUN <<EOF\n#!/bin/x\nbody\nEOF\nRUN cat <<A\none\nA`, {
      limits: { memoryBytes: 5 },
      ulimits: [{ name: 'nofile', soft: 1, hard: 2 }],
      extraHosts: ['a:1'],
      networkMode: 'none',
    });
    const [first, script, cat] = world.ran;
    assert.deepEqual(
      first?.mounts.map(({ type, target, readOnly }) => [type, target, readOnly]),
      [
        ['bind', '/c', true],
        ['tmpfs', '/t', false],
      ],
    );
    assert.equal(first.mounts[1]?.tmpfsSizeBytes, 1024 * 1024);
    assert.deepEqual(
      [first.limits.memoryBytes, first.networkMode, first.ulimits?.[0]?.hard, first.extraHosts],
      [5, 'none', 2, ['a:1']],
    );
    assert.deepEqual(script?.args, ['/dev/pipes/EOF']);
    assert.equal(script.mounts[0]?.target, '/dev/pipes');
    assert.deepEqual(cat?.args, ['/bin/sh', '-c', 'cat <<A\none\nA']);
  });

  test('a build argument that nobody asks for is said', async (t) => {
    const world = await BuildWorld.create(t);
    await world.build('FROM base\nUSER a', { buildArgs: { WHAT: '1' } });
    assert.equal(world.said[0], 'One or more build-args [WHAT] were not consumed');
  });
});
