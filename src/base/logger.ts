import { messageOf } from './errors.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
export type LogFields = Readonly<Record<string, unknown>>;

const order: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3 };

/** Structured log: a constant lower-case message, and what varies as fields. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** The same log with fields that every line carries, such as `component`. */
  with(fields: LogFields): Logger;
}

export interface LoggerOptions {
  readonly level: LogLevel;
  /** JSON lines for a service manager, `pretty` for a terminal. */
  readonly format: 'json' | 'pretty';
  readonly write: (line: string) => void;
}

export function createLogger(options: LoggerOptions, bound: LogFields = {}): Logger {
  const log = (level: LogLevel, message: string, fields: LogFields = {}): void => {
    if (order[level] < order[options.level]) return;
    options.write(format(options.format, level, message, { ...bound, ...fields }));
  };
  return {
    debug: (message, fields) => log('debug', message, fields),
    info: (message, fields) => log('info', message, fields),
    warn: (message, fields) => log('warn', message, fields),
    error: (message, fields) => log('error', message, fields),
    with: (fields) => createLogger(options, { ...bound, ...fields }),
  };
}

/** A log that goes nowhere, for tests and one-shot commands. */
export const silentLogger: Logger = createLogger({ level: 'error', format: 'json', write: () => {} });

function format(kind: 'json' | 'pretty', level: LogLevel, message: string, fields: LogFields): string {
  const time = new Date().toISOString();
  const plain = Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, plainValue(value)]));
  if (kind === 'json') return `${JSON.stringify({ time, level, message, ...plain })}\n`;
  const tail = Object.entries(plain).map(([key, value]) => `${key}=${JSON.stringify(value)}`);
  return `${[time, level.padEnd(5), message, ...tail].join(' ')}\n`;
}

function plainValue(value: unknown): unknown {
  if (value instanceof Error) return messageOf(value);
  return typeof value === 'bigint' ? value.toString() : value;
}
