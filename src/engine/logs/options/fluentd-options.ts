import { messageOf } from '#base/errors.ts';
import { parseGoDuration } from '#formats/go-duration.ts';
import { parseGoBool, parseGoInt, parseMemorySize } from '#formats/go-values.ts';

import type { Address, FluentdTarget, LogOptions } from '../log-config.ts';
import { parseAddress } from './address.ts';
import { invalidOption } from './invalid-option.ts';

export const fluentdOptionNames = [
  'fluentd-address',
  'fluentd-async',
  'fluentd-async-connect',
  'fluentd-async-reconnect-interval',
  'fluentd-buffer-limit',
  'fluentd-max-retries',
  'fluentd-read-timeout',
  'fluentd-request-ack',
  'fluentd-retry-wait',
  'fluentd-sub-second-precision',
  'fluentd-write-timeout',
];

const defaultPort = 24_224;
const defaultAddress = 'tcp://127.0.0.1:24224';
const nsPerMs = 1_000_000;
const reconnectMs = { least: 100, most: 10_000 };
const retry = { waitMs: 1000, factor: 1.5, longestMs: 60_000 };

export function fluentdTarget(options: LogOptions): FluentdTarget {
  const get = (name: string): string => options[name] ?? '';
  if (get('fluentd-async') !== '' && get('fluentd-async-connect') !== '')
    throw invalidOption("conflicting options: cannot specify both 'fluentd-async' and 'fluentd-async-connect'");
  const async = get('fluentd-async') || get('fluentd-async-connect');
  const retries = get('fluentd-max-retries');
  return {
    driver: 'fluentd',
    address: addressOf(get('fluentd-address')),
    subSecond: parseGoBool(get('fluentd-sub-second-precision') || 'false'),
    acknowledged: parseGoBool(get('fluentd-request-ack') || 'false'),
    bufferBytes: parseMemorySize(get('fluentd-buffer-limit') || '1m'),
    reconnectMs: reconnectOf(get('fluentd-async-reconnect-interval')),
    writeTimeoutMs: durationMs('fluentd-write-timeout', get('fluentd-write-timeout')),
    readTimeoutMs: durationMs('fluentd-read-timeout', get('fluentd-read-timeout')),
    connectFirst: async !== '' && !parseGoBool(async),
    retry: {
      firstMs: durationMs('fluentd-retry-wait', get('fluentd-retry-wait')) || retry.waitMs,
      factor: retry.factor,
      longestMs: retry.longestMs,
      ...(retries !== '' && { attemptsMost: countOf(retries) }),
    },
  };
}

function addressOf(text: string): Address {
  const full = text === '' ? defaultAddress : text.includes('://') ? text : `tcp://${text}`;
  const refuse = (why: string): Error => invalidOption(`invalid fluentd-address (${text}): ${why}`);
  try {
    const address = parseAddress(full, defaultPort);
    const isKnown = address?.protocol === 'tcp' || address?.protocol === 'tls' || address?.protocol === 'unix';
    if (!isKnown) throw refuse(`unsupported scheme: '${full.split('://')[0] ?? ''}'`);
    if ('path' in address && /^\/*$/.test(address.path)) throw refuse('path is empty');
    return address;
  } catch (error) {
    throw messageOf(error).startsWith('invalid fluentd-address') ? error : refuse(messageOf(error));
  }
}

function reconnectOf(text: string): number {
  const ms = durationMs('fluentd-async-reconnect-interval', text);
  if (ms === 0 || (ms >= reconnectMs.least && ms <= reconnectMs.most)) return ms;
  throw invalidOption(
    `invalid value for fluentd-async-reconnect-interval: value ("${text}") must be between 100ms and 10s`,
  );
}

/** Milliseconds; 0 for ''. */
function durationMs(name: string, text: string): number {
  if (text === '') return 0;
  try {
    const ns = parseGoDuration(text);
    if (ns >= 0) return ns / nsPerMs;
  } catch (error) {
    throw invalidOption(`invalid value for ${name}: ${messageOf(error)}`);
  }
  throw invalidOption(`invalid value for ${name}: ${text}: must be a positive duration`);
}

function countOf(text: string): number {
  const count = parseGoInt(text);
  if (count >= 0) return count;
  throw invalidOption(`strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`);
}
