import type { Instruction } from './dockerfile.ts';
import { type Flags, parseFlags } from './flags.ts';
import { parseGoDuration } from '../go-duration.ts';
import { invalid } from './invalid.ts';
import { jsonWords, type Statement } from './statement.ts';

const minimumNs = 1_000_000;
const flagKinds = {
  interval: 'text',
  timeout: 'text',
  'start-period': 'text',
  'start-interval': 'text',
  retries: 'text',
} as const;

export function parseHealthcheck({ flags: words, rest, at, code }: Statement): Instruction {
  const written = /^\S*/.exec(rest)?.[0] ?? '';
  const type = written.toUpperCase();
  const command = rest.slice(written.length).trim();
  if (type === '') throw invalid('HEALTHCHECK requires at least one argument');
  if (type === 'NONE' && (command !== '' || words.length > 0)) throw invalid('HEALTHCHECK NONE takes no arguments');
  if (type !== 'NONE' && type !== 'CMD') throw invalid(`Unknown type ${JSON.stringify(type)} in HEALTHCHECK (try CMD)`);
  const flags = parseFlags(words, flagKinds);
  return {
    kind: 'healthcheck',
    test: type === 'NONE' ? ['NONE'] : testOf(command),
    interval: durationOf(flags, 'interval'),
    timeout: durationOf(flags, 'timeout'),
    startPeriod: durationOf(flags, 'start-period'),
    startInterval: durationOf(flags, 'start-interval'),
    retries: retriesOf(flags.text('retries')),
    at,
    code,
  };
}

function testOf(command: string): readonly string[] {
  const json = jsonWords(command);
  if ((json ?? command).length === 0) throw invalid('Missing command after HEALTHCHECK CMD');
  return json === undefined ? ['CMD-SHELL', command] : ['CMD', ...json];
}

function durationOf(flags: Flags, name: string): number {
  const text = flags.text(name);
  if (text === '') return 0;
  const durationNs = parseGoDuration(text);
  if (durationNs !== 0 && durationNs < minimumNs)
    throw invalid(`Interval ${JSON.stringify(name)} cannot be less than 1ms`);
  return durationNs;
}

function retriesOf(text: string): number {
  if (text === '') return 0;
  if (!/^-?[0-9]{1,9}$/.test(text)) throw invalid(`--retries must be a number, not ${JSON.stringify(text)}`);
  if (Number(text) < 0) throw invalid(`--retries cannot be negative (${text})`);
  return Number(text);
}
