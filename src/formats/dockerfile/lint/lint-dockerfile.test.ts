import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';

import { StatusError } from '#base/errors.ts';
import { parseDockerfile } from '../parse-dockerfile.ts';
import { lintDockerfile } from './lint-dockerfile.ts';
import { parseLintOptions } from './lint-options.ts';
import { lintRules, lintRuleUrl } from './lint-rules.ts';

const around = {
  platform: new Map([['TARGETPLATFORM', 'linux/amd64']]),
  predefined: ['http_proxy'],
  baseNames: (image: string) => (image === 'known' ? ['HOME'] : undefined),
};

/** `rule line`, and the text where a row says one. */
function lint(text: string, check = ''): readonly string[] {
  return lintDockerfile(parseDockerfile(text), parseLintOptions(check), around).map(
    ({ rule, at }) => `${rule} ${String(at.start)}`,
  );
}

describe('build checks', () => {
  const table: readonly (readonly [string, ...string[]])[] = [
    ['FROM known AS ok\nWORKDIR /a\nENV A=1 B=$HOME\nRUN x\nCMD ["x"]'],
    ['FROM known AS Upper', 'StageNameCasing 1'],
    ['FROM known as x', 'FromAsCasing 1'],
    ['from known AS x\nrun x', 'FromAsCasing 1'],
    ['from known as x\nrun x'],
    ['FROM known\nRUN a \\\n\n  b', 'NoEmptyContinuation 3'],
    ['FROM known\nrun x\nRUN y', 'ConsistentInstructionCasing 2'],
    ['FROM known\nRun x', 'ConsistentInstructionCasing 2'],
    ['FROM known AS a\nFROM known AS a', 'DuplicateStageName 2'],
    ['FROM known AS scratch', 'ReservedStageName 1'],
    ['FROM known\nCMD x', 'JSONArgsRecommended 2'],
    ['FROM known\nSHELL ["x"]\nENTRYPOINT x'],
    ['FROM known\nMAINTAINER me', 'MaintainerDeprecated 2'],
    ['ARG TAG=1\nFROM known:$TAG\nFROM x:$TGA', 'UndefinedArgInFrom 3', 'InvalidDefaultArgInFrom 3'],
    ['ARG TAG\nFROM known:$TAG', 'InvalidDefaultArgInFrom 2'],
    ['ARG TAG=a\nFROM known:${TAG}'],
    ['FROM known\nWORKDIR a\nWORKDIR b', 'WorkdirRelativePath 2'],
    ['FROM known\nWORKDIR /a\nWORKDIR b'],
    ['FROM known\nCOPY $src .\nARG src\nCOPY $src $http_proxy ${none:-x} .', 'UndefinedVar 2'],
    ['FROM unknown\nCOPY $src .'],
    ['FROM known AS a\nENV X=1\nFROM a\nLABEL l=$X m=$Y\nUSER $PATH', 'UndefinedVar 4'],
    ['FROM scratch\nENV A=$HOME', 'UndefinedVar 2'],
    ['FROM known\nRUN echo $not_ours'],
    ['FROM known\nCMD ["a"]\nCMD ["b"]\nFROM known\nCMD ["c"]', 'MultipleInstructionsDisallowed 2'],
    ['FROM known\nENV a b\nLABEL c d', 'LegacyKeyValueFormat 2', 'LegacyKeyValueFormat 3'],
    ['FROM --platform=$TARGETPLATFORM known', 'RedundantTargetPlatform 1'],
    ['FROM --platform=linux/amd64 known', 'FromPlatformFlagConstDisallowed 1'],
    ['FROM --platform=linux/arm64 known AS build-arm64'],
    ['FROM known\nARG GIT_TOKEN\nENV PUBLIC_KEY=1 MY_PASSWORD=2 tokens=3', 'SecretsUsedInArgOrEnv 2', 'SecretsUsedInArgOrEnv 3'], // prettier-ignore
    ['FROM known\nEXPOSE 80/TCP 81/udp', 'ExposeProtoCasing 2'],
  ];
  for (const [text, ...found] of table)
    test(text.replaceAll('\n', ' | '), () => {
      assert.deepEqual(lint(text), found);
    });

  test('say it in BuildKit’s words, with the way to read more', () => {
    const [first] = lintDockerfile(parseDockerfile('FROM known\nUSER $HOM'), parseLintOptions(''), around);
    assert.deepEqual(first, {
      rule: 'UndefinedVar',
      text: "Usage of undefined variable '$HOM' (did you mean $HOME?)",
      at: { start: 2, end: 2 },
      description: 'Variables should be defined before their use',
      url: 'https://docs.docker.com/go/dockerfile/rule/undefined-var/',
    });
    assert.equal(
      lintRuleUrl('JSONArgsRecommended'),
      'https://docs.docker.com/go/dockerfile/rule/json-args-recommended/',
    );
    assert.equal(Object.keys(lintRules).length, 18);
  });

  test('are silent when they are told to be', () => {
    const text = 'FROM known as x\nCMD x';
    assert.deepEqual(lint(text, 'skip=FromAsCasing'), ['JSONArgsRecommended 2']);
    assert.deepEqual(lint(text, 'skip=all;error=true'), []);
    assert.equal(parseLintOptions('error=true;skip=A, B').failsBuild, true);
    assert.deepEqual(parseLintOptions('experimental=all'), { skipped: new Set(), failsBuild: false });
    for (const wrong of ['what=1', 'error=maybe', 'skip']) assert.throws(() => parseLintOptions(wrong), StatusError);
  });

  test('find something or nothing in whatever is a Dockerfile', () => {
    const words = fc.constantFrom(
      'FROM',
      'ARG',
      'ENV',
      'as',
      'x',
      '$X',
      '${',
      '}',
      '=',
      '\n',
      ' ',
      '/',
      '"',
      '\\',
      'CMD',
      'EXPOSE',
    );
    fc.assert(
      fc.property(fc.array(words, { maxLength: 30 }), (parts) => {
        try {
          lint(`FROM known\n${parts.join('')}`);
        } catch (error) {
          assert.ok(error instanceof StatusError, String(error));
        }
      }),
      { numRuns: 300 },
    );
  });
});
