import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { StatusError } from '#base/errors.ts';

import type { Output } from './output.ts';
import { reportFailure, run } from './run.ts';
import type { VerbRow } from './verb.ts';
import { verbs } from './verbs.ts';

interface Outcome {
  readonly code: number;
  readonly printed: string;
}

async function slipway(
  args: string,
  options: { uid?: number; env?: Record<string, string>; rows?: readonly VerbRow[] } = {},
): Promise<Outcome> {
  const { output, text } = memoryOutput();
  const signal = new AbortController().signal;
  const { uid = 0, env = {}, rows = verbs } = options;
  const line = args.split(' ').filter((arg) => arg !== '');
  const code = await run({ args: line, env, rows, output, uid }, signal).catch((error: unknown) =>
    reportFailure(error, output),
  );
  return { code, printed: text() };
}

function memoryOutput(): { output: Output; text: () => string } {
  const lines: string[] = [];
  const line = (text: string): void => void lines.push(text);
  return { output: { line, raw: line, note: line, isTerminal: false }, text: () => lines.join('\n') };
}

/** A verb that prints which root it was given. */
const echo: VerbRow = {
  name: 'echo',
  summary: 'print the root',
  load: async () => ({
    usage: '',
    description: '',
    options: {},
    operandsMost: 0,
    needsRoot: true,
    run: async ({ paths, output }) => {
      output.line(paths.root);
      return 7;
    },
  }),
};

describe('slipway', () => {
  test('shows help, exit code 2 when asked for nothing', async () => {
    const help = await slipway('--help');
    assert.equal(help.code, 0);
    for (const { name, summary } of verbs) assert.ok(help.printed.includes(name) && help.printed.includes(summary));
    assert.deepEqual(await slipway('help'), help);
    assert.equal((await slipway('')).code, 2);
  });

  test('shows help of every verb, with its options', async () => {
    for (const row of verbs) {
      const verb = await row.load();
      const { code, printed } = await slipway(`${row.name} --help`, { uid: 1000 });
      assert.equal(code, 0);
      for (const name of Object.keys(verb.options)) assert.ok(printed.includes(`--${name}`), `${row.name} --${name}`);
      for (const text of printed.split('\n')) assert.ok(text.length <= 120, text);
    }
  });

  test('shows the verbs of a group', async () => {
    for (const line of ['volume --help', '--root /x volume -h', 'help volume']) {
      const { code, printed } = await slipway(line, { uid: 1000 });
      assert.equal(code, 0, line);
      for (const verb of ['backup', 'restore', 'resize']) assert.match(printed, new RegExp(`^  ${verb} +\\S`, 'm'));
      assert.doesNotMatch(printed, /doctor|bootstrap/);
    }
    assert.equal((await slipway('volume')).code, 2);
    const { code, printed } = await slipway('volume fly');
    assert.equal(code, 2);
    assert.match(printed, /Cannot run slipway volume fly: there is no such verb; see slipway volume --help/);
  });

  test('says what it does not know', async () => {
    assert.deepEqual(await slipway('fly'), {
      code: 2,
      printed: 'slipway: Cannot run slipway fly: there is no such verb; see slipway --help',
    });
    assert.equal((await slipway('up --fly')).code, 2);
  });

  test('asks for root where it is needed', async () => {
    const { code, printed } = await slipway('up', { uid: 1000 });
    assert.equal(code, 3);
    assert.match(printed, /^slipway: Cannot run slipway up as user 1000: it needs root; run sudo \.\/slipway up$/);
  });

  test('takes the root from the option, then from the environment', async () => {
    const rows = [echo];
    assert.deepEqual(await slipway('echo', { rows }), { code: 7, printed: '/' });
    const env = { SLIPWAY_ROOT: '/from-env' };
    assert.deepEqual(await slipway('echo', { rows, env }), { code: 7, printed: '/from-env' });
    assert.deepEqual(await slipway('--root /given echo', { rows, env }), { code: 7, printed: '/given' });
  });

  test('leaves the words of another program alone', async () => {
    const row: VerbRow = {
      ...echo,
      load: async () => ({
        ...(await echo.load()),
        passesArguments: true,
        run: async ({ operands, paths, output }) => {
          output.line(`${paths.root} ${operands.join(' ')}`);
          return await Promise.resolve(0);
        },
      }),
    };
    const { printed } = await slipway('--root /x echo get pods -o wide --all echo', { rows: [row] });
    assert.equal(printed, '/x get pods -o wide --all echo');
  });

  test('shows a stack for a defect only', () => {
    const { output, text } = memoryOutput();
    assert.equal(reportFailure(new StatusError('Conflict', 'Cannot: no'), output), 5);
    assert.equal(text(), 'slipway: Cannot: no');
    assert.equal(reportFailure(new Error('broken'), output), 1);
    assert.match(text(), /Error: broken\n {4}at /);
  });
});
