import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import * as fc from 'fast-check';

import { reasonOf } from '#base/errors.ts';

import { matchesLabels, selectionOf, selectionOfMap, selectionText } from './label-selector.ts';
import { parseLabelSelector } from './parse-label-selector.ts';

const labels = { app: 'web', tier: 'front', size: '12' };

/** Text, its canonical text, and whether it matches the labels above. */
const selectors: readonly (readonly [string, string, boolean])[] = [
  ['', '', true],
  ['app', 'app', true],
  ['!app', '!app', false],
  [' ! gone ', '!gone', true],
  ['app=web', 'app=web', true],
  ['app==web', 'app==web', true],
  ['app = web , tier=front', 'app=web,tier=front', true],
  ['tier=front,app=web', 'app=web,tier=front', true],
  ['app!=web', 'app!=web', false],
  ['gone!=web', 'gone!=web', true],
  ['app=', 'app=', false],
  ['app in (web, db)', 'app in (db,web)', true],
  ['app in ()', 'app in ()', false],
  ['app in (,web)', 'app in (,web)', true],
  ['app in (in,notin,web,web)', 'app in (in,notin,web)', true],
  ['in in (in)', 'in in (in)', false],
  ['app notin (web)', 'app notin (web)', false],
  ['gone notin (web)', 'gone notin (web)', true],
  ['size>11', 'size>11', true],
  ['size < 12', 'size<12', false],
  ['app>1', 'app>1', false],
  ['example.com/app=web', 'example.com/app=web', false],
];

const refused: Readonly<Record<string, string>> = {
  'a=b=c': "found '=', expected: ',' or 'end of string'",
  '=a': "found '=', expected: !, identifier, or 'end of string'",
  'a,': "found '', expected: identifier after ','",
  'a,,b': "found ',', expected: identifier after ','",
  'a b': "unable to parse requirement: found 'b', expected: '=', '!=', '==', 'in', notin'",
  'a in b': "unable to parse requirement: found 'b' expected: '('",
  'a in (b c)': "unable to parse requirement: found 'c', expected: ',' or ')'",
  'a in (b': "unable to parse requirement: found '', expected: ',' or ')'",
  'a in (=': "unable to parse requirement: found '=', expected: ',', ')' or identifier",
  'a in (,=': "unable to parse requirement: found '=', expected: ',', or identifier",
  'a==!': "unable to parse requirement: found '!', expected: identifier",
  '!=': "found '!=', expected: !, identifier, or 'end of string'",
  '!,a': "unable to parse requirement: found ',', expected: identifier",
  'a>x': `unable to parse requirement: values[0]: Invalid value: "x": for 'Gt', 'Lt' operators, the value must be an integer`,
  'a=-x':
    "unable to parse requirement: values[0][a]: Invalid value: \"-x\": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')",
  '-a': "unable to parse requirement: <nil>: Invalid value: \"-a\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
};

describe('label selectors as text', () => {
  for (const [text, canonical, isMatch] of selectors) {
    test(`"${text}"`, () => {
      const selection = parseLabelSelector(text);
      assert.equal(selectionText(selection), canonical);
      assert.equal(matchesLabels(selection, labels), isMatch);
    });
  }
  for (const [text, message] of Object.entries(refused)) {
    test(`refuses "${text}"`, () => assert.throws(() => parseLabelSelector(text), { message }));
  }

  test('any text is a selector or refused, and the canonical text is a fixed point', () => {
    const soup = fc.string({
      unit: fc.constantFrom('a', 'b', ' ', '=', '!', '(', ')', ',', '<', '>', 'in ', ' notin '),
      maxLength: 20,
    });
    fc.assert(
      fc.property(fc.oneof(soup, fc.string()), (text) => {
        let canonical: string;
        try {
          canonical = selectionText(parseLabelSelector(text));
        } catch (error) {
          assert.equal(reasonOf(error), 'InvalidArgument');
          return;
        }
        assert.equal(selectionText(parseLabelSelector(canonical)), canonical);
      }),
    );
  });
});

describe('label selectors in objects', () => {
  test('an absent one matches nothing, an empty one everything', () => {
    assert.equal(selectionOf(undefined), 'nothing');
    assert.equal(matchesLabels('nothing', labels), false);
    assert.equal(selectionText('nothing'), '');
    assert.equal(matchesLabels(selectionOf({}) ?? 'nothing', undefined), true);
  });

  test('labels and expressions must all hold', () => {
    const selection = selectionOf({
      matchLabels: { app: 'web' },
      matchExpressions: [
        { key: 'tier', operator: 'In', values: ['front'] },
        { key: 'gone', operator: 'DoesNotExist' },
        { key: 'size', operator: 'Exists' },
        { key: 'app', operator: 'NotIn', values: ['db'] },
      ],
    });
    assert.ok(selection !== undefined);
    assert.equal(selectionText(selection), 'app=web,app notin (db),!gone,size,tier in (front)');
    assert.equal(matchesLabels(selection, labels), true);
    assert.equal(matchesLabels(selection, { ...labels, gone: '' }), false);
  });

  test('an operator that is none has no meaning', () => {
    assert.equal(selectionOf({ matchExpressions: [{ key: 'a', operator: 'Like' }] }), undefined);
  });

  test('a map of labels is a selection', () => {
    assert.equal(selectionText(selectionOfMap({ b: '1', a: '2' })), 'a=2,b=1');
    assert.deepEqual(selectionOfMap(undefined), []);
  });

  test('names of built-in properties are labels like others', () => {
    assert.equal(matchesLabels(parseLabelSelector('constructor'), {}), false);
  });
});
