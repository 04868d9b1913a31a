import assert from 'node:assert/strict';
import { test } from 'node:test';

import { logDrivers, type LogDriver, type LogOptions, type LogSettings } from '../log-config.ts';
import { defaultLogLimits } from './file-options.ts';
import { parseLogDriver, parseLogOptions } from './parse-log-options.ts';

const parse = (driver: LogDriver, options: LogOptions = {}): LogSettings => parseLogOptions({ driver, options });
const gelf = { 'gelf-address': 'udp://logs:12201' };

function refused(driver: LogDriver, options: LogOptions, message: string | RegExp): void {
  assert.throws(() => parse(driver, options), { reason: 'InvalidArgument', message }, JSON.stringify(options));
}

test('drivers are found by Docker names', () => {
  for (const driver of logDrivers) assert.equal(parseLogDriver(driver), driver);
  assert.throws(() => parseLogDriver('nope'), { message: "logger: no log driver named 'nope' is registered" });
  assert.throws(() => parseLogDriver('splunk'), { reason: 'NotSupported', message: /speaks to one service only/ });
});

test('logs are bounded, with and without a word', () => {
  assert.deepEqual(parse('json-file'), { limits: defaultLogLimits, readable: true });
  assert.deepEqual(parse('json-file', { 'max-size': '10m', 'max-file': '3', compress: 'true' }).limits, {
    maxFiles: 3,
    maxSizeBytes: 10_000_000,
    compress: true,
  });
  assert.equal(parse('json-file', { 'max-size': '10m' }).limits.maxFiles, 1);
  assert.deepEqual(parse('local').limits, { ...defaultLogLimits, compress: true });
  assert.equal(parse('json-file', { 'max-size': '1.5K' }).limits.maxSizeBytes, 4096);
  assert.equal(parse('none').readable, false);
});

test('small files become fewer larger ones, with the same bound', () => {
  const limits = (size: string, files: string): object =>
    parse('json-file', { 'max-size': size, 'max-file': files }).limits;
  assert.deepEqual(limits('100k', '50'), { maxFiles: 5, maxSizeBytes: 1_000_000, compress: false });
  assert.deepEqual(limits('10k', '3'), { maxFiles: 2, maxSizeBytes: 15_000, compress: false });
  assert.deepEqual(limits('10k', '1'), { maxFiles: 1, maxSizeBytes: 10_000, compress: false });
  assert.deepEqual(limits('2m', '2'), { maxFiles: 2, maxSizeBytes: 2_000_000, compress: false });
});

test('a log that is sent elsewhere keeps a copy', () => {
  assert.deepEqual(parse('journald').limits, { ...defaultLogLimits, compress: true });
  assert.equal(parse('journald').readable, true);
  const small = parse('gelf', { ...gelf, 'cache-max-size': '1m', 'cache-max-file': '1', 'cache-compress': 'false' });
  assert.deepEqual(small.limits, { maxFiles: 1, maxSizeBytes: 1_000_000, compress: false });
  assert.equal(parse('syslog', { 'cache-disabled': 'true' }).readable, false);
  assert.equal(parse('json-file', { 'cache-disabled': 'true' }).readable, true);
  refused('syslog', { 'cache-disabled': 'maybe' }, 'invalid value for option cache-disabled: maybe');
  refused('syslog', { 'cache-max-file': '1' }, 'compression cannot be enabled when max file count is 1');
});

test('modes', () => {
  assert.equal(parse('syslog', { mode: 'non-blocking', 'max-buffer-size': '1m' }).lagBytes, 1024 * 1024);
  assert.equal(parse('syslog', { mode: 'blocking' }).lagBytes, undefined);
  refused('json-file', { mode: 'odd' }, 'logger: logging mode not supported: odd');
  refused(
    'json-file',
    { 'max-buffer-size': '1m' },
    "logger: max-buffer-size option is only supported with 'mode=non-blocking'",
  );
  refused(
    'local',
    { mode: 'non-blocking', 'max-buffer-size': 'x' },
    /error parsing option max-buffer-size: invalid size/,
  );
});

test('files: wrong options are refused in words of Docker', () => {
  refused('json-file', { nonsense: '1' }, "unknown log opt 'nonsense' for json-file log driver");
  refused('local', { tag: 'x' }, "unknown log opt 'tag' for log driver local");
  refused('none', { 'max-size': '1m' }, /unknown log opt/);
  refused('json-file', { 'max-size': 'ten' }, "invalid size: 'ten'");
  refused('json-file', { 'max-size': '0' }, 'max-size must be a positive number');
  refused('json-file', { 'max-file': '0' }, 'max-file cannot be less than 1');
  refused('json-file', { 'max-file': '1.5' }, 'strconv.Atoi: parsing "1.5": invalid syntax');
  refused('json-file', { 'max-file': '1001' }, /cannot be more than 1000/);
  refused(
    'json-file',
    { compress: 'true', 'max-file': '3' },
    'compress cannot be true when max-file is less than 2 or max-size is not set',
  );
  refused('local', { 'max-file': '1' }, 'compression cannot be enabled when max file count is 1');
});

test('syslog', () => {
  const target = (options: LogOptions): object => parse('syslog', options).target ?? {};
  assert.partialDeepStrictEqual(target({}), { driver: 'syslog', address: undefined, facility: 3, format: 'unix' });
  assert.partialDeepStrictEqual(
    target({ 'syslog-address': 'tcp+tls://[::1]:6514', 'syslog-facility': 'local7', 'syslog-format': 'rfc5424micro' }),
    { address: { protocol: 'tls', host: '::1', port: 6514 }, facility: 23, format: 'rfc5424micro' },
  );
  assert.partialDeepStrictEqual(target({ 'syslog-address': 'udp://box', 'syslog-facility': '13' }), {
    address: { protocol: 'udp', host: 'box', port: 514 },
    facility: 13,
  });
  assert.partialDeepStrictEqual(target({ 'syslog-address': 'unixgram:///dev/log' }), {
    address: { protocol: 'unixgram', path: '/dev/log' },
  });
  refused('syslog', { 'syslog-address': 'box:514' }, 'syslog-address should be in form proto://address, got box:514');
  refused('syslog', { 'syslog-address': 'tls://box' }, /should be in form/);
  refused('syslog', { 'syslog-address': 'tcp://a:b:c' }, /want host:port/);
  refused('syslog', { 'syslog-address': 'tcp://a:99999' }, /invalid port/);
  refused('syslog', { 'syslog-facility': 'nope' }, 'invalid syslog facility');
  refused('syslog', { 'syslog-facility': '24' }, 'invalid syslog facility');
  refused('syslog', { 'syslog-format': 'x' }, 'Invalid syslog format');
  refused('syslog', { 'syslog-tls-skip-verify': 'maybe' }, /ParseBool/);
  refused('syslog', { 'syslog-tag': 'x' }, "unknown log opt 'syslog-tag' for syslog log driver");
});

test('fluentd', () => {
  const target = (options: LogOptions): object => parse('fluentd', options).target ?? {};
  assert.deepEqual(target({}), {
    driver: 'fluentd',
    address: { protocol: 'tcp', host: '127.0.0.1', port: 24_224 },
    subSecond: false,
    acknowledged: false,
    bufferBytes: 1024 * 1024,
    reconnectMs: 0,
    writeTimeoutMs: 0,
    readTimeoutMs: 0,
    connectFirst: false,
    retry: { firstMs: 1000, factor: 1.5, longestMs: 60_000 },
  });
  assert.partialDeepStrictEqual(
    target({
      'fluentd-address': 'box:1',
      'fluentd-async': 'false',
      'fluentd-async-reconnect-interval': '200ms',
      'fluentd-buffer-limit': '2k',
      'fluentd-max-retries': '3',
      'fluentd-retry-wait': '50ms',
      'fluentd-write-timeout': '2s',
    }),
    {
      connectFirst: true,
      reconnectMs: 200,
      bufferBytes: 2048,
      writeTimeoutMs: 2000,
      retry: { firstMs: 50, attemptsMost: 3 },
    },
  );
  assert.partialDeepStrictEqual(target({ 'fluentd-address': 'unix:///run/f.sock' }), {
    address: { protocol: 'unix', path: '/run/f.sock' },
  });
  refused('fluentd', { 'fluentd-address': 'udp://x' }, "invalid fluentd-address (udp://x): unsupported scheme: 'udp'");
  refused('fluentd', { 'fluentd-address': 'unix://' }, 'invalid fluentd-address (unix://): path is empty');
  refused('fluentd', { 'fluentd-address': 'a/b' }, /^invalid fluentd-address \(a\/b\): /);
  refused('fluentd', { 'fluentd-async-reconnect-interval': '1h' }, /must be between 100ms and 10s/);
  refused('fluentd', { 'fluentd-write-timeout': '-1s' }, /^invalid value for fluentd-write-timeout: /);
  refused('fluentd', { 'fluentd-retry-wait': 'x' }, /invalid value for fluentd-retry-wait: time: invalid duration/);
  refused('fluentd', { 'fluentd-max-retries': '-1' }, /ParseUint/);
  refused('fluentd', { 'fluentd-async': 'true', 'fluentd-async-connect': 'true' }, /conflicting options/);
});

test('gelf', () => {
  assert.deepEqual(parse('gelf', { ...gelf, 'gelf-compression-type': 'zlib', 'gelf-compression-level': '-1' }).target, {
    driver: 'gelf',
    address: { protocol: 'udp', host: 'logs', port: 12_201 },
    compression: 'zlib',
    compressionLevel: -1,
    retry: { firstMs: 100, factor: 2, longestMs: 10_000 },
  });
  const tcp = { 'gelf-address': 'tcp://logs:1' };
  const patient = { ...tcp, 'gelf-tcp-max-reconnect': '5', 'gelf-tcp-reconnect-delay': '2' };
  assert.deepEqual(parse('gelf', patient).target?.retry, {
    firstMs: 2000,
    factor: 2,
    longestMs: 2000,
    attemptsMost: 5,
  });
  refused('gelf', {}, 'gelf-address is a required parameter');
  refused('gelf', { 'gelf-address': 'logs:1' }, 'gelf-address should be in form proto://address, got logs:1');
  refused('gelf', { 'gelf-address': 'unix:///x' }, 'gelf: endpoint needs to be TCP or UDP');
  refused('gelf', { 'gelf-address': 'udp://logs' }, 'gelf: please provide gelf-address as proto://host:port');
  refused('gelf', { ...tcp, 'gelf-compression-type': 'gzip' }, 'compression is only supported on UDP');
  refused('gelf', { ...gelf, 'gelf-compression-type': 'x' }, /unknown value "x" for log opt "gelf-compression-type"/);
  refused('gelf', { ...gelf, 'gelf-compression-level': '10' }, /unknown value "10"/);
  refused('gelf', { ...gelf, 'gelf-tcp-max-reconnect': '1' }, '"gelf-tcp-max-reconnect" is only valid for TCP');
  refused(
    'gelf',
    { ...tcp, 'gelf-tcp-reconnect-delay': '-1' },
    '"gelf-tcp-reconnect-delay" must be a positive integer',
  );
  refused('gelf', { ...gelf, nope: '1' }, 'unknown log opt "nope" for gelf log driver');
});
