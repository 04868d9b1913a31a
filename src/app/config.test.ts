import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';

import { StatusError } from '#base/errors.ts';

import { allSettings, readConfig, variableOf, type Config } from './config.ts';

interface Given {
  readonly file?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly flags?: readonly string[];
}

async function read(t: TestContext, { file, env = {}, flags = [] }: Given): Promise<Config> {
  const folder = mkdtempSync(join(tmpdir(), 'config-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const configFile = join(folder, 'slipway.yaml');
  if (file !== undefined) writeFileSync(configFile, file);
  return readConfig({ configFile, env, flags });
}

/** The problems as `line: message`, for a file alone. */
async function problemsOf(t: TestContext, given: Given): Promise<readonly string[]> {
  let problems: readonly string[] = [];
  await assert.rejects(read(t, given), (error) => {
    assert.ok(error instanceof StatusError && error.reason === 'InvalidArgument');
    problems = error.problems.map(({ path, message }) => `${path.replace(/^.*slipway.yaml/, 'file')}: ${message}`);
    return true;
  });
  return problems;
}

const originOf = (config: Config, key: string): string => {
  const row = config.explained.find((one) => one.key === key);
  return `${row?.source ?? ''} ${row?.origin.replace(/^.*slipway.yaml/, 'file') ?? ''}`;
};

test('without anything every setting has its default', async (t) => {
  const config = await read(t, {});
  assert.equal(config.log.level, 'info');
  assert.deepEqual(config.engine.insecureRegistries, []);
  assert.equal(config.engine.addressPools.length, 16);
  assert.deepEqual(
    config.explained.map(({ key, source }) => [key, source]),
    allSettings().map(([key]) => [key, 'default']),
  );
});

test('flags win over the environment, that over the file, that over defaults', async (t) => {
  const file = 'log:\n  level: debug\nengine:\n  runcPath: /a/runc\n  conmonPath: /a/conmon\n';
  const env = { SLIPWAY_ENGINE_RUNC_PATH: '/b/runc', SLIPWAY_ENGINE_CONMON_PATH: '/b/conmon' };
  const config = await read(t, { file, env, flags: ['engine.runcPath=/c/runc'] });
  assert.equal(config.engine.runcPath, '/c/runc');
  assert.equal(config.engine.conmonPath, '/b/conmon');
  assert.equal(config.log.level, 'debug');
  assert.equal(originOf(config, 'engine.runcPath'), 'flag --set engine.runcPath=/c/runc');
  assert.equal(originOf(config, 'engine.conmonPath'), 'environment SLIPWAY_ENGINE_CONMON_PATH');
  assert.equal(originOf(config, 'log.level'), 'file file:2');
});

test('lists and pools are read from YAML and from one text', async (t) => {
  const pools = [{ base: '10.5.0.0/16', size: 24 }];
  const yaml = await read(t, { file: 'engine:\n  addressPools: [{ base: 10.5.0.0/16, size: 24 }]\n' });
  assert.deepEqual(yaml.engine.addressPools, pools);
  const flags = ['engine.addressPools=10.5.0.0/16:24', 'engine.insecureRegistries=a:5000, b.example'];
  const text = await read(t, { flags });
  assert.deepEqual(text.engine.addressPools, pools);
  const both = await read(t, { flags: ['engine.addressPools=10.5.0.0/16:24,fd00:5::/48:64'] });
  assert.deepEqual(both.engine.addressPools, [...pools, { base: 'fd00:5::/48', size: 64 }]);
  assert.deepEqual(text.engine.insecureRegistries, ['a:5000', 'b.example']);
});

test('proxies are URLs and lists of hosts', async (t) => {
  const config = await read(t, {
    flags: ['engine.httpProxy=http://me:pass@p:3128', 'engine.noProxy=.a.test,10.0.0.0/8'],
  });
  assert.deepEqual([config.engine.httpProxy, config.engine.httpsProxy], ['http://me:pass@p:3128', '']);
  assert.equal(config.engine.noProxy, '.a.test,10.0.0.0/8');
  for (const flag of ['engine.httpsProxy=p:3128', 'engine.httpProxy=ftp://p', 'engine.noProxy=a;b'])
    assert.match((await problemsOf(t, { flags: [flag] }))[0] ?? '', /is not (the URL of a proxy|hosts with commas)/);
});

test('every problem is told with its place', async (t) => {
  const file = 'log:\n  level: loud\n  colour: red\nengin: {}\nengine:\n  runcPath: runc\ndocker:\n';
  const flags = ['nothing', 'engine.addressPools=10.0.0.0/24:16'];
  assert.deepEqual(await problemsOf(t, { file, flags }), [
    'file:3: unknown key "log.colour", known are level',
    'file:4: unknown key "engin", known are log, engine, docker, registry, kubernetes, store, gc',
    `--set nothing: unknown key "", known are ${allSettings()
      .map(([key]) => key)
      .join(', ')}`,
    'file:2: log.level is not one of debug, info, warn, error',
    'file:6: engine.runcPath is not an absolute path',
    '--set engine.addressPools=10.0.0.0/24:16: engine.addressPools is not a list of address pools, in text address/len:size with commas between',
  ]);
});

test('broken YAML, duplicate keys and lists instead of sections are told with their line', async (t) => {
  assert.match((await problemsOf(t, { file: 'log:\n  level: [info\n' }))[0] ?? '', /^file:\d: /);
  assert.match((await problemsOf(t, { file: 'log:\n  level: info\n  level: warn\n' }))[0] ?? '', /^file:3: .*unique/);
  assert.deepEqual(await problemsOf(t, { file: '- log\n' }), ['file:1: want sections of settings']);
  assert.deepEqual(await problemsOf(t, { file: 'log: 5\n' }), ['file:1: section log is not a map of settings']);
});

test('variables are named after sections and settings', () => {
  assert.equal(variableOf('engine.runcPath'), 'SLIPWAY_ENGINE_RUNC_PATH');
  assert.equal(variableOf('log.level'), 'SLIPWAY_LOG_LEVEL');
});
