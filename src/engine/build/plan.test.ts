import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';

import { StatusError } from '#base/errors.ts';
import { parseDockerfile } from '#formats/dockerfile/parse-dockerfile.ts';
import { type BuildPlan, type Names, planBuild } from './plan.ts';

function plan(
  text: string,
  target = '',
  variables: Readonly<Record<string, string>> = {},
  contexts: Names['contexts'] = {},
): BuildPlan {
  const globals = new Map(Object.entries(variables));
  return planBuild({ dockerfile: parseDockerfile(text), globals, contexts }, target);
}

const titles = ({ stages }: BuildPlan): readonly string[] => stages.map(({ title }) => title);

const diamond = [
  'FROM debian AS base',
  'RUN base',
  'FROM base AS left',
  'RUN left',
  'FROM base AS right',
  'COPY --from=left /a /a',
  'FROM unused AS unused',
  'RUN unused',
  'FROM scratch',
  'RUN --mount=from=right,target=/r true',
  'COPY --from=1 /b /b',
].join('\n');

test('only what the target needs is built, and numbered in order', () => {
  const whole = plan(diamond);
  assert.deepEqual(titles(whole), ['base', 'left', 'right', '4']);
  assert.deepEqual(
    whole.stages.map(({ firstStep }) => firstStep),
    [1, 3, 5, 7],
  );
  assert.equal(whole.totalSteps, 9);
  assert.equal(whole.target.title, '4');
  assert.deepEqual(titles(plan(diamond, 'LEFT')), ['base', 'left']);
  assert.deepEqual(titles(plan(diamond, '3')), ['unused']);
});

test('bases: scratch, stage, image, with variables', () => {
  const { stages } = plan('FROM ${I:-debian}:12 AS A\nFROM a\nFROM scratch\nCOPY --from=0 a b\nCOPY --from=1 a b', '', {
    I: 'busybox',
  });
  assert.deepEqual(
    stages.map(({ base }) => base),
    [{ kind: 'image', name: 'busybox:12' }, { kind: 'stage', index: 0 }, { kind: 'scratch' }],
  );
});

test('a name that only a later stage has is an image', () => {
  assert.deepEqual(plan('FROM later AS first\nFROM first AS later').stages[0]?.base, { kind: 'image', name: 'later' });
});

test('triggers of a base stage count', () => {
  const text = 'FROM a AS lib\nFROM b AS base\nONBUILD COPY --from=lib /x /x\nFROM base';
  assert.deepEqual(titles(plan(text)), ['lib', 'base', '2']);
  assert.deepEqual(titles(plan(text, 'base')), ['base']);
});

test('platforms are expanded', () => {
  assert.equal(
    plan('FROM --platform=$BUILDPLATFORM a', '', { BUILDPLATFORM: 'linux/amd64' }).stages[0]?.platform,
    'linux/amd64',
  );
});

const wrong: readonly (readonly [string, string, RegExp, string | undefined])[] = [
  ['FROM a AS build', 'biuld', /target stage "biuld" could not be found \(did you mean build\?\)/, undefined],
  ['FROM a', '1', /target stage "1" could not be found/, undefined],
  ['FROM $NO', '', /base name \(\$NO\) should not be blank/, 'Dockerfile:1'],
  ['FROM ${X', '', /missing '}'/, 'Dockerfile:1'],
  [
    'FROM a AS x\nCOPY --from=y a b\nFROM a AS y\nFROM x',
    '',
    /cannot copy from stage "y".*before current/,
    'Dockerfile:2',
  ],
  ['FROM a AS x\nCOPY --from=x a b', '', /cannot copy from stage "x"/, 'Dockerfile:2'],
  ['FROM a\nCOPY --from=7 a b', '', /invalid stage index 7/, 'Dockerfile:2'],
  ['FROM a\nRUN --mount=from=0,target=/x a', '', /cannot copy from stage "0"/, 'Dockerfile:2'],
];
for (const [text, target, message, place] of wrong)
  test(`refused: ${JSON.stringify(text)} ${target}`, () =>
    assert.throws(
      () => plan(text, target),
      (error) =>
        error instanceof StatusError &&
        error.reason === 'InvalidArgument' &&
        message.test(error.message) &&
        error.problems[0]?.path === place,
    ));

test('every stage of a plan comes after what it needs', () => {
  const stage = fc.record({ base: fc.nat(9), from: fc.nat(9) });
  fc.assert(
    fc.property(fc.array(stage, { minLength: 1, maxLength: 10 }), (drafts) => {
      const text = drafts.flatMap(({ base, from }, index) => [
        `FROM ${base < index ? `s${String(base)}` : 'image'} AS s${String(index)}`,
        from < index ? `COPY --from=s${String(from)} a b` : 'RUN x',
      ]);
      const { stages } = plan(text.join('\n'));
      const seen = new Set<number>();
      for (const { stage, base } of stages) {
        if (base.kind === 'stage') assert.ok(seen.has(base.index));
        const { from } = drafts[stage.index] ?? { from: 99 };
        if (from < stage.index) assert.ok(seen.has(from));
        seen.add(stage.index);
      }
      assert.ok(seen.has(drafts.length - 1));
    }),
    { numRuns: 100 },
  );
});

test('named contexts come before stages and images, by whatever form of the name', () => {
  const folder = { kind: 'folder', path: '/lib' } as const;
  const image = { kind: 'image', name: 'alpine@sha256:1' } as const;
  const text = 'FROM debian AS lib\nFROM docker.io/library/alpine\nCOPY --from=lib /a /a';
  const { stages } = plan(text, '', {}, { lib: folder, 'alpine:latest': image });
  assert.deepEqual(titles({ stages } as BuildPlan), ['1']);
  assert.deepEqual(stages[0]?.base, image);
  assert.deepEqual(plan('FROM lib', '', {}, { lib: folder }).stages[0]?.base, folder);
  assert.deepEqual(plan('FROM UPPER', '', {}, { other: folder }).stages[0]?.base, { kind: 'image', name: 'UPPER' });
});

test('of stages with the same name the last one before counts', () => {
  const text = 'FROM one AS x\nFROM two AS x\nFROM x\nCOPY --from=x /a /a\nFROM three AS x';
  const { stages } = plan(text, '2');
  assert.deepEqual(
    stages.map(({ stage }) => stage.index),
    [1, 2],
  );
  assert.deepEqual(plan(text, 'x').target.stage.index, 3);
});
