import assert from 'node:assert/strict';
import { test } from 'node:test';

import { encodeJournalEntry, journalFieldName } from './journal-entry.ts';

test('plain values are lines, others go by length', () => {
  const bytes = encodeJournalEntry({ MESSAGE: 'hello', LABEL: 'a\nb', RAW: Buffer.from([0xff]) });
  const expected = ['MESSAGE=hello\nLABEL\n\x03\0\0\0\0\0\0\0a\nb\nRAW=', '\xff', '\n'].join('');
  assert.equal(bytes.toString('latin1'), expected);
});

test('names of fields', () => {
  assert.equal(journalFieldName('com.example-foo'), 'COM_EXAMPLE_FOO');
  assert.equal(journalFieldName('_private'), 'PRIVATE');
  assert.equal(journalFieldName('__'), '');
  assert.equal(journalFieldName('größe9'), 'GR__E9');
});
