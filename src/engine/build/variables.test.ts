import assert from 'node:assert/strict';
import { test } from 'node:test';

import { parseDockerfile } from '#formats/dockerfile/parse-dockerfile.ts';
import {
  type ArgScope,
  type BuildArgs,
  declareArgs,
  globalVariables,
  proxyEnvironment,
  runEnvironment,
  setEnv,
  unusedBuildArgs,
  visibleVariables,
} from './variables.ts';

const amd64 = { os: 'linux', architecture: 'amd64' };
const arm = { os: 'linux', architecture: 'arm', variant: 'v7' };

/** The stage's arguments after all its ARG lines. */
function scopeOf(text: string, buildArgs: BuildArgs = {}, env: readonly string[] = []): ArgScope {
  const dockerfile = parseDockerfile(text);
  const globals = globalVariables(dockerfile, buildArgs, { target: amd64, build: amd64, stage: '' });
  let scope: ArgScope = new Map();
  for (const instruction of dockerfile.stages[0]?.instructions ?? [])
    if (instruction.kind === 'arg') scope = declareArgs(scope, instruction, { buildArgs, globals, env, dockerfile });
  return scope;
}

test('FROM lines see global arguments and the platform', () => {
  const dockerfile = parseDockerfile('ARG A=1 B=$A-$TARGETARCH\nARG C\nARG D=x\nFROM scratch');
  const globals = globalVariables(
    dockerfile,
    { D: 'given', E: 'never declared' },
    { target: arm, build: amd64, stage: 'dev' },
  );
  assert.equal(globals.get('B'), '1-arm');
  assert.equal(globals.has('C'), false);
  assert.equal(globals.get('D'), 'given');
  assert.equal(globals.has('E'), false);
  assert.equal(globals.get('TARGETPLATFORM'), 'linux/arm/v7');
  assert.equal(globals.get('BUILDPLATFORM'), 'linux/amd64');
  assert.equal(globals.get('TARGETVARIANT'), 'v7');
  assert.equal(globals.get('TARGETSTAGE'), 'dev');
});

test('a global default that cannot be expanded is said with its line', () => {
  const dockerfile = parseDockerfile('ARG A=1\nARG B=${A\nFROM scratch');
  assert.throws(
    () => globalVariables(dockerfile, {}, { target: amd64, build: amd64, stage: '' }),
    /missing '}'\n?[^]*Dockerfile:2/,
  );
});

test('a stage sees what it declares: given, default, global, nothing', () => {
  const text = 'ARG G=global\nARG H=global\nFROM a\nARG G\nARG H=own\nARG N\nARG V=$G-$N\nARG TARGETARCH';
  const scope = scopeOf(text, { N: 'given' });
  assert.deepEqual(
    [...scope],
    [
      ['G', 'global'],
      ['H', 'own'],
      ['N', 'given'],
      ['V', 'global-given'],
      ['TARGETARCH', 'amd64'],
    ],
  );
  assert.deepEqual([...scopeOf(text, { N: undefined, G: '' })].slice(0, 3), [
    ['G', ''],
    ['H', 'own'],
    ['N', undefined],
  ]);
});

test('names of objects are no build arguments', () => {
  assert.equal(scopeOf('FROM a\nARG constructor').get('constructor'), undefined);
});

test('the environment wins over arguments', () => {
  const scope = scopeOf('FROM a\nARG A=arg\nARG B=arg\nARG C', {}, ['A=env']);
  assert.deepEqual(
    [...visibleVariables(scope, ['A=env'])],
    [
      ['A', 'env'],
      ['B', 'arg'],
    ],
  );
  assert.deepEqual(runEnvironment(scope, ['A=env', 'Z=1']), ['A=env', 'Z=1', 'B=arg']);
});

test('proxies are there without ARG', () => {
  assert.deepEqual(proxyEnvironment({ HTTP_PROXY: 'http://p', no_proxy: 'x', other: 'y' }), [
    'http_proxy=http://p',
    'HTTP_PROXY=http://p',
    'no_proxy=x',
    'NO_PROXY=x',
  ]);
});

test('build arguments that nobody asks for', () => {
  const dockerfile = parseDockerfile('ARG A\nFROM a\nARG B\nFROM b\nARG C');
  const given = { A: '', B: '', C: '', D: '', http_proxy: '', TARGETARCH: '', BUILDKIT_X: '' };
  assert.deepEqual(unusedBuildArgs(dockerfile, given), ['D']);
});

test('a variable keeps its place', () => {
  assert.deepEqual(setEnv(['A=1', 'B=2'], 'A', '3'), ['A=3', 'B=2']);
  assert.deepEqual(setEnv(['AB=1'], 'A', 'x=y'), ['AB=1', 'A=x=y']);
});
