import assert from 'node:assert/strict';
import { test } from 'node:test';

import { encodeSyslogMessage, withLength, type SyslogFormat, type SyslogMessage } from './syslog-message.ts';

const message: SyslogMessage = {
  facility: 3,
  severity: 6,
  timeNs: BigInt(Date.parse('2026-11-03T06:05:09Z')) * 1_000_000n + 4_005_000n,
  zoneMinutes: 60,
  hostname: 'box',
  tag: 'web',
  processId: 7,
  content: Buffer.from('hello'),
};

function text(format: SyslogFormat, changes: Partial<SyslogMessage> = {}): string {
  return encodeSyslogMessage(format, { ...message, ...changes }).toString();
}

test('the formats are those of Docker', () => {
  assert.equal(text('unix'), '<30>Nov  3 07:05:09 web[7]: hello\n');
  assert.equal(text('rfc3164'), '<30>Nov  3 07:05:09 box web[7]: hello\n');
  assert.equal(text('rfc5424'), '<30>1 2026-11-03T07:05:09+01:00 box web 7 web - hello\n');
  assert.equal(text('rfc5424micro'), '<30>1 2026-11-03T07:05:09.004005+01:00 box web 7 web - hello\n');
});

test('zones west of Greenwich, and Greenwich', () => {
  assert.match(text('rfc5424', { zoneMinutes: -210 }), /2026-11-03T02:35:09-03:30 /);
  assert.match(text('rfc5424', { zoneMinutes: 0, severity: 3, facility: 23 }), /^<187>1 2026-11-03T06:05:09Z /);
});

test('bytes that are no UTF-8 stay as they are, and the length counts bytes', () => {
  const bytes = encodeSyslogMessage('rfc5424', { ...message, content: Buffer.from([0xff, 0xc3, 0xa4]) });
  assert.equal(bytes.subarray(-4).toString('hex'), 'ffc3a40a');
  assert.equal(withLength(Buffer.from('ä\n')).toString(), '3 ä\n');
});
