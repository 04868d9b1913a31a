import { shortId } from '#base/ids.ts';
import { encodeJournalEntry, journalFieldName } from '#formats/logs/journal-entry.ts';

import { logAttributes, type LogOrigin, logTag } from '../log-origin.ts';
import { UnixDatagramConnection } from './datagram-connection.ts';
import { lineOf, type LogMessage, severityOf, type Sink, type SinkOptions } from './sink.ts';

const nsPerMs = 1_000_000n;

/** Entries of systemd's journal, with the fields that Docker gives them. */
export function openJournaldSink({ origin, journalSocket, logger }: SinkOptions): Sink {
  const common = commonFields(origin);
  const connection = new UnixDatagramConnection(journalSocket, logger);
  const encode = (message: LogMessage): Buffer =>
    encodeJournalEntry({
      MESSAGE: lineOf(message),
      PRIORITY: String(severityOf(message)),
      ...common,
      ...ownFields(message),
    });
  return {
    settleMs: connection.settleMs,
    lost: connection.lost,
    send: (messages, signal) => connection.send(messages.map(encode), signal),
    finish: () => connection.finish(),
    [Symbol.dispose]: () => connection[Symbol.dispose](),
  };
}

function commonFields(origin: LogOrigin): Readonly<Record<string, string>> {
  const tag = logTag(origin);
  const attributes = Object.entries(logAttributes(origin)).map(([name, value]) => [journalFieldName(name), value]);
  return {
    CONTAINER_ID: shortId(origin.id),
    CONTAINER_ID_FULL: origin.id,
    CONTAINER_NAME: origin.name,
    CONTAINER_TAG: tag,
    IMAGE_NAME: origin.imageName,
    SYSLOG_IDENTIFIER: tag,
    ...(Object.fromEntries(attributes.filter(([name]) => name !== '')) as Record<string, string>),
  };
}

function ownFields({ timeNs, epoch, ordinal, part }: LogMessage): Readonly<Record<string, string>> {
  return {
    SYSLOG_TIMESTAMP: isoTime(timeNs),
    CONTAINER_LOG_EPOCH: epoch,
    CONTAINER_LOG_ORDINAL: String(ordinal),
    ...(part !== undefined && {
      CONTAINER_PARTIAL_ID: part.id,
      CONTAINER_PARTIAL_ORDINAL: String(part.ordinal),
      CONTAINER_PARTIAL_LAST: String(part.last),
      ...(!part.last && { CONTAINER_PARTIAL_MESSAGE: 'true' }),
    }),
  };
}

/** RFC 3339 with nanoseconds. */
function isoTime(timeNs: bigint): string {
  const seconds = new Date(Number(timeNs / nsPerMs)).toISOString().slice(0, 19);
  return `${seconds}.${String(timeNs % 1_000_000_000n).padStart(9, '0')}Z`;
}
