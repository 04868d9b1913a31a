import { type GelfTarget, type LogOptions, patientRetry } from '../log-config.ts';
import { parseAddress } from './address.ts';
import { invalidOption } from './invalid-option.ts';

export const gelfOptionNames = [
  'gelf-address',
  'gelf-compression-level',
  'gelf-compression-type',
  'gelf-tcp-max-reconnect',
  'gelf-tcp-reconnect-delay',
];

const fastest = 1;
const levels = { least: -1, most: 9 };

export function gelfTarget(options: LogOptions): GelfTarget {
  const address = addressOf(options['gelf-address'] ?? '');
  const isUdp = address.protocol === 'udp';
  return {
    driver: 'gelf',
    address,
    compression: isUdp ? compressionOf(options['gelf-compression-type']) : refuseCompression(options),
    compressionLevel: levelOf(options['gelf-compression-level']),
    retry: retryOf(options, isUdp),
  };
}

function addressOf(text: string): GelfTarget['address'] {
  if (text === '') throw invalidOption('gelf-address is a required parameter');
  const scheme = /^([a-z+]+):\/\/./.exec(text)?.[1];
  if (scheme === undefined) throw invalidOption(`gelf-address should be in form proto://address, got ${text}`);
  if (scheme !== 'udp' && scheme !== 'tcp') throw invalidOption('gelf: endpoint needs to be TCP or UDP');
  const hasPort = /:\d+$/.test(text);
  const address = hasPort ? parseAddress(text, undefined) : undefined;
  if (address === undefined) throw invalidOption('gelf: please provide gelf-address as proto://host:port');
  return address;
}

function compressionOf(text = 'gzip'): GelfTarget['compression'] {
  if (text === 'gzip' || text === 'zlib' || text === 'none') return text;
  throw unknownValue('gelf-compression-type', text);
}

/** A stream of messages has their ends as zero bytes, which compressed ones may hold. */
function refuseCompression(options: LogOptions): 'none' {
  if ('gelf-compression-type' in options || 'gelf-compression-level' in options)
    throw invalidOption('compression is only supported on UDP');
  return 'none';
}

function levelOf(text: string | undefined): number {
  if (text === undefined) return fastest;
  const level = /^-?\d$/.test(text) ? Number(text) : Number.NaN;
  if (level >= levels.least && level <= levels.most) return level;
  throw unknownValue('gelf-compression-level', text);
}

function retryOf(options: LogOptions, isUdp: boolean): GelfTarget['retry'] {
  const attempts = countOf('gelf-tcp-max-reconnect', options, isUdp);
  const delaySeconds = countOf('gelf-tcp-reconnect-delay', options, isUdp);
  const delayMs = delaySeconds === undefined ? undefined : delaySeconds * 1000;
  return {
    ...patientRetry,
    ...(delayMs !== undefined && { firstMs: delayMs, longestMs: delayMs }),
    ...(attempts !== undefined && { attemptsMost: attempts }),
  };
}

function countOf(name: string, options: LogOptions, isUdp: boolean): number | undefined {
  const text = options[name];
  if (text === undefined) return undefined;
  if (isUdp) throw invalidOption(`"${name}" is only valid for TCP`);
  if (!/^\d{1,6}$/.test(text)) throw invalidOption(`"${name}" must be a positive integer`);
  return Number(text);
}

function unknownValue(name: string, value: string): Error {
  return invalidOption(`unknown value ${JSON.stringify(value)} for log opt "${name}" for gelf log driver`);
}
