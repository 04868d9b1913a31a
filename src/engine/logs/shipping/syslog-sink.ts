import { hostname } from 'node:os';

import { StatusError } from '#base/errors.ts';
import type { Logger } from '#base/logger.ts';
import { encodeSyslogMessage, withLength } from '#formats/logs/syslog-message.ts';

import type { SyslogTarget } from '../log-config.ts';
import { logTag } from '../log-origin.ts';
import type { Connection } from './connection.ts';
import { UdpConnection, UnixDatagramConnection } from './datagram-connection.ts';
import { lineOf, type LogMessage, severityOf, type Sink, type SinkOptions } from './sink.ts';
import { connectStream } from './stream-connection.ts';

/** Where the machine's own syslog listens, by datagrams or by a stream. */
const localPaths = ['/dev/log', '/var/run/syslog', '/var/run/log'];

/** Messages to a syslog receiver, local or remote. */
export async function openSyslogSink(target: SyslogTarget, options: SinkOptions, signal: AbortSignal): Promise<Sink> {
  const connection = await connect(target, options.logger, signal);
  const tag = logTag(options.origin);
  const isCounted = target.address?.protocol === 'tls' && target.format.startsWith('rfc5424');
  const encode = (message: LogMessage): Buffer => {
    const encoded = encodeSyslogMessage(target.format, {
      facility: target.facility,
      severity: severityOf(message),
      timeNs: message.timeNs,
      zoneMinutes: -new Date(Number(message.timeNs / 1_000_000n)).getTimezoneOffset(),
      hostname: hostname(),
      tag,
      processId: process.pid,
      content: lineOf(message),
    });
    return isCounted ? withLength(encoded) : encoded;
  };
  return {
    settleMs: connection.settleMs,
    lost: connection.lost,
    send: (messages, abort) => connection.send(messages.map(encode), abort),
    finish: (abort) => connection.finish(abort),
    [Symbol.dispose]: () => connection[Symbol.dispose](),
  };
}

async function connect({ address, tls }: SyslogTarget, logger: Logger, signal: AbortSignal): Promise<Connection> {
  if (address === undefined) return connectLocal(tls, logger, signal);
  if (address.protocol === 'udp') return UdpConnection.connect(address.host, address.port, logger, signal);
  if (address.protocol === 'unixgram') return new UnixDatagramConnection(address.path, logger);
  return connectStream(address, tls, signal);
}

async function connectLocal(tls: SyslogTarget['tls'], logger: Logger, signal: AbortSignal): Promise<Connection> {
  for (const path of localPaths) {
    try {
      return new UnixDatagramConnection(path, logger);
    } catch {
      // Not there, or a stream.
    }
  }
  for (const path of localPaths) {
    try {
      return await connectStream({ protocol: 'unix', path }, tls, signal);
    } catch {
      signal.throwIfAborted();
    }
  }
  throw new StatusError('Unavailable', 'Unix syslog delivery error');
}
