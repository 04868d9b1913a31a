import assert from 'node:assert/strict';
import { test } from 'node:test';

import { eventEncoding } from './event-encoding.ts';

for (const [accept, contentType, text] of [
  ['', 'application/json', '{"a":1}\r\n'],
  ['*/*', 'application/json', '{"a":1}\r\n'],
  ['application/jsonl, application/x-ndjson', 'application/jsonl', '{"a":1}\n'],
  ['text/html, application/x-ndjson;q=0.5', 'application/x-ndjson', '{"a":1}\n'],
  ['Application/JSON-Seq', 'application/json-seq', '\u001E{"a":1}\n'],
] as const) {
  test(`events for "${accept}" are ${contentType}`, () => {
    const encoding = eventEncoding(accept);
    assert.deepEqual([encoding.contentType, encoding.encode({ a: 1 })], [contentType, text]);
  });
}
