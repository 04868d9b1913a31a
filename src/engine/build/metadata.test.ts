import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { parseDockerfile } from '#formats/dockerfile/parse-dockerfile.ts';
import { expandWord, expandWords } from '#formats/dockerfile/expand-word.ts';
import type { ImageDefaults } from '#formats/oci.ts';
import { applyMetadata, isMetadata } from './metadata.ts';
import { scratchState, type StageState, stateId, stateOfImage, stateOfStage } from './stage-state.ts';
import { visibleVariables } from './variables.ts';

const start = scratchState({ os: 'linux', architecture: 'amd64' });
const path = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

function run(lines: string, from: StageState = start): StageState {
  let state = from;
  for (const instruction of parseDockerfile(`FROM scratch\n${lines}`).stages[0]?.instructions ?? []) {
    assert.ok(isMetadata(instruction));
    const variables = visibleVariables(state.args, state.defaults.Env ?? []);
    state = applyMetadata(state, instruction, {
      word: (text) => expandWord(text, variables),
      words: (text) => expandWords(text, variables),
    });
  }
  return state;
}

const created = (state: StageState): readonly (string | undefined)[] => state.history.map((entry) => entry.created_by);

describe('instructions that only change the configuration', () => {
  const table: readonly (readonly [string, ImageDefaults, string])[] = [
    ['ENV A=1 B="x y"', { Env: [path, 'A=1', 'B=x y'] }, 'ENV A=1 B=x y'],
    ['LABEL a=1 "b c"=$PATH', { Labels: { a: '1', 'b c': path.slice(5) } }, `LABEL a=1 b c=${path.slice(5)}`],
    ['EXPOSE 80 53/udp 1-2', { ExposedPorts: { '1/tcp': {}, '2/tcp': {}, '53/udp': {}, '80/tcp': {} } }, 'EXPOSE [1/tcp 2/tcp 53/udp 80/tcp]'],
    ['VOLUME /a /b', { Volumes: { '/a': {}, '/b': {} } }, 'VOLUME [/a /b]'],
    ['SHELL ["/bin/bash","-c"]', { Shell: ['/bin/bash', '-c'] }, 'SHELL [/bin/bash -c]'],
    ['CMD a b', { Cmd: ['/bin/sh', '-c', 'a b'] }, 'CMD ["/bin/sh" "-c" "a b"]'],
    ['CMD ["a","b"]', { Cmd: ['a', 'b'] }, 'CMD ["a" "b"]'],
    ['USER app', { User: 'app' }, 'USER app'],
    ['STOPSIGNAL SIGRTMIN+3', { StopSignal: 'SIGRTMIN+3' }, 'STOPSIGNAL SIGRTMIN+3'],
    ['HEALTHCHECK --interval=1s CMD x', { Healthcheck: { Test: ['CMD-SHELL', 'x'], Interval: 1e9 } }, 'HEALTHCHECK --interval=1s CMD x'],
    ['HEALTHCHECK NONE', { Healthcheck: { Test: ['NONE'] } }, 'HEALTHCHECK NONE'],
    ['ONBUILD RUN x', { OnBuild: ['RUN x'] }, ''],
  ]; // prettier-ignore
  for (const [line, expected, history] of table)
    test(line, () => {
      const state = run(line);
      assert.deepEqual(state.defaults, { Env: [path], WorkingDir: '/', ...expected });
      assert.deepEqual(created(state), history === '' ? [] : [history]);
      assert.ok(state.history.every((entry) => entry.empty_layer === true));
    });

  test('MAINTAINER is the author', () => assert.equal(run('MAINTAINER a b').author, 'a b'));

  test('substitutions see the values from before the instruction', () => {
    assert.deepEqual(run('ENV abc=hello\nENV abc=bye def=$abc\nENV ghi=$abc').defaults.Env, [
      path,
      'abc=bye',
      'def=hello',
      'ghi=bye',
    ]);
  });

  test('the shell form follows SHELL', () => {
    assert.deepEqual(run('SHELL ["/b"]\nCMD x\nENTRYPOINT y').defaults.Entrypoint, ['/b', 'y']);
  });

  test('ENTRYPOINT takes the CMD of the base away, but not the own one', () => {
    const base = run('CMD ["base"]');
    assert.equal(run('ENTRYPOINT ["e"]', stateOfStage(base)).defaults.Cmd, null);
    assert.deepEqual(run('CMD ["own"]\nENTRYPOINT ["e"]', stateOfStage(base)).defaults.Cmd, ['own']);
    assert.equal(run('ENTRYPOINT []').defaults.Entrypoint, null);
  });

  test('names of objects are names like any other', () => {
    const { Labels } = run('LABEL __proto__=x constructor=y').defaults;
    assert.equal(JSON.stringify(Labels), '{"__proto__":"x","constructor":"y"}');
  });

  for (const [line, message] of [
    ['EXPOSE http', /invalid containerPort: http/],
    ['EXPOSE 0', /ports go from 1 to 65535/],
    ['EXPOSE 9-8', /ports go from 1/],
    ['EXPOSE 80/icmp', /the protocol must be one of/],
    ['STOPSIGNAL SIGNO', /Invalid signal: SIGNO/],
    ['ENV $NO=1', /ENV names can not be blank/],
    ['VOLUME $NO', /can not be an empty string/],
  ] as const)
    test(`refused: ${line}`, () => assert.throws(() => run(line), message));

  test('a configuration cannot grow without end', () => {
    const doubling = Array.from({ length: 40 }, () => 'ENV A=$A$A').join('\n');
    assert.throws(() => run(`ENV A=${'x'.repeat(100_000)}\n${doubling}`), { reason: 'TooLarge' });
    const many = Array.from({ length: 60 }, (_, index) => `LABEL l${String(index)}=$A`).join('\n');
    assert.throws(() => run(`ENV A=${'x'.repeat(100_000)}\n${many}`), { reason: 'TooLarge' });
  });
});

describe('where a stage begins', () => {
  const config = {
    architecture: 'arm64',
    os: 'linux',
    author: 'a',
    config: { Env: ['PATH=/x'], OnBuild: ['RUN x'], Cmd: ['c'] },
    rootfs: { type: 'layers', diff_ids: ['sha256:0', 'sha256:1'] },
    history: [{ created_by: 'one' }, { created_by: 'two', empty_layer: true }],
  } as const;
  const image = { id: 'sha256:2', config, configBytes: new Uint8Array(), tags: [], repoDigests: [] } as const;

  test('an image: its triggers go, missing history is filled up', () => {
    const state = stateOfImage({ ...image, topLayer: 'sha256:9', sizeBytes: 0, parent: undefined, lastTaggedNs: 0n });
    assert.deepEqual(state.defaults, { Env: ['PATH=/x'], Cmd: ['c'] });
    assert.equal(state.history.length, 3);
    assert.equal(state.history.filter((entry) => entry.empty_layer !== true).length, 2);
    assert.deepEqual(state.platform, { os: 'linux', architecture: 'arm64' });
    assert.equal(state.layer, 'sha256:9');
  });

  test('a state has a name that changes with it', () => {
    assert.match(stateId(start), /^[0-9a-f]{12}$/);
    assert.equal(stateId(run('ENV A=1')), stateId(run('ENV A=1')));
    assert.notEqual(stateId(run('ENV A=1')), stateId(run('ENV A=2')));
  });
});
