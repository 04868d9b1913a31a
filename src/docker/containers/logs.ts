import { StatusError } from '#base/errors.ts';
import type { Engine } from '#engine/engine.ts';
import type { LogQuery, LogRecord } from '#engine/logs/container-log.ts';
import { shownAttributes } from '#engine/logs/log-origin.ts';
import { parseLogOptions } from '#engine/logs/options/parse-log-options.ts';
import type { Container } from '#engine/runtime/container.ts';
import type { OutputChunk } from '#engine/runtime/containers.ts';

import type { Context } from '../context.ts';
import type { Call } from '../http/call.ts';
import { frames } from '../http/frames.ts';
import type { Query } from '../http/query.ts';
import type { Reply } from '../http/reply.ts';
import { stream } from '../http/reply.ts';
import { nsToFixedIso, parseUnixTime } from '../text/timestamp.ts';
import { streamType } from './stream-attachment.ts';

interface Decoration {
  readonly timestamps?: boolean;
  /** What stands before each line, with its blank. */
  readonly details?: string;
}

/** GET /containers/{id}/logs. */
export function logsReply({ engine }: Context, call: Call, signal: AbortSignal): Reply {
  const { query } = call;
  const container = engine.containers.get(call.params['id'] ?? '');
  const log = logQuery(query);
  if (!log.stdout && !log.stderr) {
    throw new StatusError('InvalidArgument', 'Bad parameters: you must choose at least one stream');
  }
  if (!parseLogOptions(container.spec.log).readable) {
    throw new StatusError('NotSupported', 'configured logging driver does not support reading');
  }
  const decoration = {
    timestamps: query.flag('timestamps'),
    ...(query.flag('details') && { details: detailsOf(container) }),
  };
  const contentType = streamType(container.spec.tty, call.version);
  return stream({ contentType, headAtOnce: true }, async (output) => {
    for await (const bytes of logBytes(engine, container, log, decoration, signal)) await output.give(bytes);
  });
}

/** A container's log as clients get it: framed unless it has a terminal, with what they asked for before each line. */
export async function* logBytes(
  engine: Engine,
  container: Container,
  query: LogQuery,
  decoration: Decoration,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  const decorated = decorator(decoration);
  for await (const records of engine.containers.logs(container.id, query, signal)) {
    const chunks = decorated(records);
    yield container.spec.tty ? Buffer.concat(chunks.map(({ bytes }) => bytes)) : frames(chunks);
  }
}

/** Puts before each line what was asked for. */
function decorator({
  timestamps = false,
  details = '',
}: Decoration): (records: readonly LogRecord[]) => readonly OutputChunk[] {
  if (!timestamps && details === '') return (records) => records;
  const atLineStart = { stdout: true, stderr: true };
  return (records) =>
    records.map(({ stream: name, timeNs, bytes }) => {
      const prefix = atLineStart[name] ? (timestamps ? `${nsToFixedIso(timeNs)} ` : '') + details : '';
      atLineStart[name] = bytes.at(-1) === 0x0a;
      return { stream: name, bytes: prefix === '' ? bytes : Buffer.concat([Buffer.from(prefix), bytes]) };
    });
}

/** The attributes that log options name, as Docker writes them: `a=1,b=2`, each part encoded as in a query. */
function detailsOf({ id, name, createdAt, spec }: Container): string {
  const { imageId, imageName, args, env, labels, log } = spec;
  const attributes = shownAttributes({ id, name, createdAt, imageId, imageName, args, env, labels, log });
  const pairs = Object.entries(attributes).map(([key, value]) => `${queryText(key)}=${queryText(value)}`);
  return `${pairs.sort().join(',')} `;
}

/** As Go's url.QueryEscape. */
function queryText(text: string): string {
  return new URLSearchParams({ '': text }).toString().slice(1).replaceAll('*', '%2A');
}

function logQuery(query: Query): LogQuery {
  const [tail, since, until] = [query.text('tail'), query.text('since'), query.text('until')];
  const lines = Number(tail);
  return {
    stdout: query.flag('stdout'),
    stderr: query.flag('stderr'),
    follow: query.flag('follow'),
    // As in Docker, what is not a number means all.
    ...(/^\d{1,15}$/.test(tail) && { tail: lines }),
    ...(since !== '' && since !== '0' && { sinceNs: parseUnixTime(since) }),
    ...(until !== '' && until !== '0' && { untilNs: parseUnixTime(until) }),
  };
}
