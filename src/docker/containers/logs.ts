import { StatusError } from '#base/errors.ts';
import type { Engine } from '#engine/engine.ts';
import type { LogQuery, LogRecord } from '#engine/logs/container-log.ts';
import type { Container } from '#engine/runtime/container.ts';

import type { Context } from '../context.ts';
import type { Call } from '../http/call.ts';
import { frame } from '../http/frames.ts';
import type { Query } from '../http/query.ts';
import type { Reply } from '../http/reply.ts';
import { stream } from '../http/reply.ts';
import { nsToFixedIso, parseUnixTime } from '../text/timestamp.ts';
import { streamType } from './stream-attachment.ts';

interface Decoration {
  readonly timestamps?: boolean;
  readonly details?: boolean;
}

/** GET /containers/{id}/logs. */
export function logsReply({ engine }: Context, call: Call, signal: AbortSignal): Reply {
  const { query } = call;
  const container = engine.containers.get(call.params['id'] ?? '');
  const log = logQuery(query);
  if (!log.stdout && !log.stderr) {
    throw new StatusError('InvalidArgument', 'Bad parameters: you must choose at least one stream');
  }
  if (container.spec.log.driver === 'none') {
    throw new StatusError('NotSupported', 'configured logging driver does not support reading');
  }
  const decoration = { timestamps: query.flag('timestamps'), details: query.flag('details') };
  const contentType = streamType(container.spec.tty, call.version);
  return stream({ contentType, headAtOnce: true }, async (output) => {
    for await (const bytes of logBytes(engine, container, log, decoration, signal)) await output.write(bytes);
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
  const atLineStart = { stdout: true, stderr: true };
  for await (const record of engine.containers.logs(container.id, query, signal)) {
    const bytes = atLineStart[record.stream] ? withPrefix(record, decoration) : record.bytes;
    atLineStart[record.stream] = record.bytes.at(-1) === 0x0a;
    yield container.spec.tty ? bytes : frame({ stream: record.stream, bytes });
  }
}

/** `details` would show attributes that log options name; we accept none of those, which Docker shows as a space. */
function withPrefix(record: LogRecord, { timestamps = false, details = false }: Decoration): Uint8Array {
  if (!timestamps && !details) return record.bytes;
  const prefix = (timestamps ? `${nsToFixedIso(record.timeNs)} ` : '') + (details ? ' ' : '');
  return Buffer.concat([Buffer.from(prefix), record.bytes]);
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
