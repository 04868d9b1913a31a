import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { deflateSync, gzipSync } from 'node:zlib';

import { messageOf } from '#base/errors.ts';
import type { Logger } from '#base/logger.ts';
import { chunkGelfMessage, encodeGelfMessage } from '#formats/logs/gelf-message.ts';

import type { GelfTarget } from '../log-config.ts';
import { logAttributes, type LogOrigin, logTag } from '../log-origin.ts';
import { UdpConnection } from './datagram-connection.ts';
import { lineOf, type LogMessage, severityOf, type Sink, type SinkOptions } from './sink.ts';
import { connectStream } from './stream-connection.ts';

const chunkIdBytes = 8;
const noTls = { ca: '', certificate: '', key: '', skipVerify: false };

/** Messages of the Graylog Extended Log Format: chunked datagrams, or a stream of them with zero bytes between. */
export async function openGelfSink(target: GelfTarget, options: SinkOptions, signal: AbortSignal): Promise<Sink> {
  const { address } = target;
  if ('path' in address) throw new Error('invariant broken: GELF goes over a network');
  const isUdp = address.protocol === 'udp';
  const connection = isUdp
    ? await UdpConnection.connect(address.host, address.port, options.logger, signal)
    : await connectStream({ ...address, protocol: 'tcp' }, noTls, signal);
  const extra = extraFields(options.origin);
  const frames = (message: LogMessage): readonly Buffer[] => {
    const text = lineOf(message);
    // A message without text is none in this format, and receivers refuse it.
    if (text.length === 0) return [];
    const { timeNs } = message;
    const encoded = encodeGelfMessage({ host: hostname(), text, timeNs, level: severityOf(message), extra });
    return isUdp ? datagrams(compress(encoded, target), options.logger) : [encoded, Buffer.of(0)];
  };
  return {
    settleMs: connection.settleMs,
    lost: connection.lost,
    send: (messages, abort) => connection.send(messages.flatMap(frames), abort),
    finish: (abort) => connection.finish(abort),
    [Symbol.dispose]: () => connection[Symbol.dispose](),
  };
}

function extraFields(origin: LogOrigin): Readonly<Record<string, string>> {
  const attributes = Object.entries(logAttributes(origin));
  return {
    _container_id: origin.id,
    _container_name: origin.name,
    _image_id: origin.imageId,
    _image_name: origin.imageName,
    _command: origin.args.join(' '),
    _tag: logTag(origin),
    _created: origin.createdAt,
    ...Object.fromEntries(attributes.map(([name, value]) => [name.startsWith('_') ? name : `_${name}`, value])),
  };
}

function compress(message: Buffer, { compression, compressionLevel: level }: GelfTarget): Buffer {
  if (compression === 'none') return message;
  return compression === 'gzip' ? gzipSync(message, { level }) : deflateSync(message, { level });
}

function datagrams(message: Buffer, logger: Logger): readonly Buffer[] {
  try {
    return chunkGelfMessage(message, randomBytes(chunkIdBytes));
  } catch (error) {
    // It will never be sent, and must not hold up the rest.
    logger.warn('a line was not sent', { why: messageOf(error) });
    return [];
  }
}
