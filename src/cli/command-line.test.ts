import assert from 'node:assert/strict';
import { test } from 'node:test';

import { findVerb, globalOptions, readArguments } from './command-line.ts';
import { columns } from './output.ts';
import { verbs } from './verbs.ts';

const find = (line: string): string => {
  const { row, rest, unknown } = findVerb(line.split(' '), verbs);
  return `${row?.name ?? '-'} | ${rest.join(' ')} | ${unknown ?? '-'}`;
};

test('the verb is found among global options and its own', () => {
  assert.equal(find('up'), 'up |  | -');
  assert.equal(find('--root /x up --set a.b=c'), 'up | --root /x --set a.b=c | -');
  assert.equal(find('up --root up'), 'up | --root up | -');
  assert.equal(find('image bootstrap debian --suite trixie'), 'image bootstrap | debian --suite trixie | -');
  assert.equal(find('--root=/x config explain'), 'config explain | --root=/x | -');
  assert.equal(find('logs -f'), 'logs | -f | -');
  assert.equal(find('image'), '- | image | image');
  assert.equal(find('fly away'), '- | fly away | fly away');
  assert.equal(find('--help'), '- | --help | -');
});

test('arguments are checked by the table of options', () => {
  const options = { ...globalOptions, set: { type: 'string', multiple: true, summary: '' } } as const;
  const values = readArguments(['--set', 'a=1', 'debian', '--set=b=2', '--root', '/r'], options, 1, 'up');
  assert.deepEqual(values.texts('set'), ['a=1', 'b=2']);
  assert.equal(values.text('root'), '/r');
  assert.equal(values.flag('help'), false);
  assert.deepEqual(values.operands, ['debian']);

  const refused = (args: readonly string[], message: RegExp): void => {
    assert.throws(() => readArguments(args, options, 0, 'up'), { reason: 'InvalidArgument', message });
  };
  refused(['--fly'], /^Cannot run slipway up: Unknown option '--fly'; see slipway up --help$/);
  refused(['--root'], /^Cannot run slipway up: Option '--root <value>' argument missing; see/);
  refused(['away'], /^Cannot run slipway up: unexpected "away"; see slipway up --help$/);
});

test('columns line up', () => {
  assert.deepEqual(
    columns(
      [
        ['a', 'bb', 'c'],
        ['aaa', 'b', 'cc'],
      ],
      '  ',
    ),
    ['  a    bb  c', '  aaa  b   cc'],
  );
});
